-- depends: 0050_exchange

-- What a programme or work list says of a person. Written by the one-person path and by the set-wise path; the higher seq wins.
-- Status comes from the dates when it is asked for, so that time passing needs no write.
-- seq: of the feed, up to which the row knows the record.  as_of: the day it was reckoned for.  applies: false once it no longer concerns the person.
create table result (
    person bigint not null,
    definition text not null,
    definition_hash text not null,
    as_of date not null,
    seq bigint not null,
    site smallint not null,
    applies boolean not null,
    due_from date,
    due_by date,
    lost_after date,
    state jsonb not null default '{}',
    evidence bigint[] not null default '{}',
    primary key (definition, person)
);
create index result_person on result (person);
create index result_due on result (definition, due_by) where applies;
