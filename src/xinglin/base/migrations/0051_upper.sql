-- depends: 0050_exchange

-- The upper-level platform is a source like others; ids of what is taken in from it are made here.
insert into source (code, name, ids_are_ours, trust) values ('upper', '上级平台', true, 10);

-- How our fields stand in its sheets, where somebody changed what the product ships: one row a kind of record.
create table upper_mapping (
    kind text primary key,               -- resident | hypertension-followup | diabetes2-followup | health-examination
    columns jsonb not null,              -- [{title, field, also, codes: {ours: theirs}}] in order
    changed_at timestamptz not null,
    changed_by bigint not null
);

-- One sheet that went out or came in. mapping: the columns it was written or read by.
create table upper_batch (
    batch_no bigint generated always as identity primary key,
    direction text not null check (direction in ('out', 'in')),
    kind text not null,
    made_at timestamptz not null,
    actor bigint not null,
    mapping jsonb not null,
    message_no bigint references message,  -- the file in the ledger, of one that came in
    from_day date,
    to_day date,
    rows integer not null,
    refused integer not null default 0,
    unchanged integer not null default 0,
    warned integer not null default 0,
    withdrawn_at timestamptz,              -- a sheet that went out and was not uploaded after all
    withdrawn_by bigint
);
create index upper_batch_made on upper_batch (made_at desc);

-- What a sheet that went out contained. rid: the Encounter (or the Patient).  digest: of the values written.
create table upper_out (
    batch_no bigint not null references upper_batch,
    kind text not null,
    rid bigint not null,
    person bigint not null,
    ver integer not null,
    digest bytea not null,
    primary key (batch_no, rid)
);
create index upper_out_rid on upper_out (kind, rid);
create index upper_out_person on upper_out (kind, person);

-- What the upper platform has, as its newest sheet said. day: of the visit; 1900-01-01 for a row of the roster.
create table upper_row (
    kind text not null,
    id_number text not null,
    day date not null,
    values jsonb not null,               -- our field → canonical text
    batch_no bigint not null references upper_batch,
    line integer not null,
    seen_at timestamptz not null,
    primary key (kind, id_number, day)
);
create index upper_row_day on upper_row (kind, day);
