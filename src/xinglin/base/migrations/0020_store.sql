-- depends: 0001_base

-- An id gets its number (rid) when it is first mentioned, as a record or as the target of a reference. A number is never given twice.
create table ident (
    rid bigint generated always as identity,
    rtype text not null,
    id text collate "C" not null,
    primary key (rtype, id)
);
create unique index ident_rid on ident (rid);

-- The current version of every resource: index columns and the exact bytes served.
-- pat: rid of the Patient it is about.  others: rids of further patients it names, 0 = somebody unknown.  dt, dt_end: its main date as [dt, dt_end) in
-- microseconds since 1970 UTC; dt_end is null where it has none.  tok: keyed 64-bit hashes of what it can be found by.  digest: of its content without what
-- the store writes into meta.
create table res (
    rid bigint not null,
    seq bigint not null,
    ts timestamptz not null,
    pat bigint,
    dt bigint not null default -9223372036854775808,
    dt_end bigint,
    message_no bigint not null,
    ver integer not null,
    source_no integer not null,
    site smallint not null,
    rtype text not null,
    id text collate "C" not null,
    others bigint[],
    tok bigint[] not null,
    digest bytea not null,
    body bytea not null,
    primary key (rid, rtype)
) partition by list (rtype);

create table res_observation partition of res for values in ('Observation');
create table res_encounter partition of res for values in ('Encounter');
create table res_questionnaire_response partition of res for values in ('QuestionnaireResponse');
create table res_condition partition of res for values in ('Condition');
create table res_procedure partition of res for values in ('Procedure');
create table res_medication_request partition of res for values in ('MedicationRequest');
create table res_medication_statement partition of res for values in ('MedicationStatement');
create table res_claim partition of res for values in ('Claim');
create table res_explanation_of_benefit partition of res for values in ('ExplanationOfBenefit');
create table res_other partition of res default;

-- rtype never leads: the partitions answer for it, and a planner without statistics would take such an index for a look-up by rid.
create index res_patient on res (pat, dt desc, rid, rtype);
create index res_date on res (dt desc, rid, rtype);
create index res_seq on res (seq, rtype);
create index res_token on res using gin (tok) with (gin_pending_list_limit = 1024);

-- Superseded bodies, and a row without a body for each deletion.
create table hist (
    rid bigint not null,
    seq bigint not null,
    ts timestamptz not null,
    pat bigint,
    message_no bigint not null,
    ver integer not null,
    source_no integer not null,
    site smallint not null,
    rtype text not null,
    id text collate "C" not null,
    others bigint[],
    body bytea,
    primary key (rid, ver)
);

-- What cannot be found by equal tokens: beginnings of text, spans of time (other than the main date; microseconds as above), numbers.
create table idx_string (
    rid bigint not null,
    param text collate "C" not null,
    value text collate "C" not null
);
create index idx_string_value on idx_string (param, value, rid);
create index idx_string_rid on idx_string (rid);

create table idx_date (
    rid bigint not null,
    low bigint not null,
    high bigint not null,
    param text collate "C" not null
);
create index idx_date_low on idx_date (param, low, high, rid);
create index idx_date_rid on idx_date (rid);

-- unit: hash of system and code; unit_code: hash of the code or the text of the unit alone; both null for plain numbers.
create table idx_number (
    rid bigint not null,
    low double precision not null,
    high double precision not null,
    unit bigint,
    unit_code bigint,
    param text collate "C" not null
);
create index idx_number_low on idx_number (param, low, high, rid);
create index idx_number_rid on idx_number (rid);

-- The one ordered list of everything that changed. seq is dense and in the order of commits, because every writer takes the row of
-- feed_head as its last act and keeps it until it has committed.
create table feed_head (
    one boolean primary key default true check (one),
    seq bigint not null,
    ts timestamptz not null
) with (fillfactor = 10);
insert into feed_head (seq, ts) values (0, '-infinity');

-- ver: version of the resource; for link and scope 1 = begun, 0 = ended.
create table feed (
    seq bigint primary key,
    rid bigint,
    person bigint,
    actor bigint not null,
    message_no bigint not null,
    ts timestamptz not null,
    ver integer not null,
    site smallint not null,
    format smallint not null default 1,
    kind text not null check (kind in ('resource', 'link', 'scope', 'consent', 'erase', 'definition')),
    rtype text
);
create index feed_type on feed (rtype, seq) where kind = 'resource';
create index feed_message on feed using brin (message_no);

-- Which person a source patient belongs to, and since which seq; to_seq is null for what holds now.
create table person_link (
    patient bigint not null,
    person bigint not null,
    from_seq bigint not null,
    to_seq bigint,
    decision text not null,
    primary key (patient, from_seq)
);
create unique index person_link_now on person_link (patient) where to_seq is null;
create index person_link_person on person_link (person) where to_seq is null;

-- Where a person belongs, and since which seq; to_seq is null for what holds now.
create table person_scope (
    person bigint not null,
    area bigint,
    institution bigint,
    from_seq bigint not null,
    to_seq bigint,
    reason text not null,
    primary key (person, from_seq)
);
create unique index person_scope_now on person_scope (person) include (area, institution) where to_seq is null;
create index person_scope_area on person_scope (area, person) where to_seq is null;

-- How many rows carry a token, from a sample: what the search compiler chooses its plan by. Rare tokens have no row.
create table token_count (
    rtype text not null,
    token bigint not null,
    row_count bigint not null,
    primary key (rtype, token)
);
create table token_count_total (
    rtype text primary key,
    row_count bigint not null,
    sampled_at timestamptz not null
);
