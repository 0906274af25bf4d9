-- depends: 0001_base

-- Who sends. Two sources never share an id.
create table source (
    source_no integer generated always as identity primary key,
    code text not null unique,
    name text not null,
    -- foreign: its residents belong to the district only once a steward says so.  ids_are_ours: our own pages and API.
    is_foreign boolean not null default false,
    ids_are_ours boolean not null default false,
    trust integer not null default 0,
    created_at timestamptz not null default now()
);
insert into source (code, name, ids_are_ours, trust) values
    ('xinglin.pages', '本系统页面', true, 100),
    ('xinglin.api', '本系统接口', true, 50);

-- The ledger: one row a message, written before or together with what it brought. Rows are never deleted, only erased person by person.
create table message (
    message_no bigint generated always as identity primary key,
    source_no integer not null references source,
    message_id text not null,
    digest bytea not null,
    kind text not null,                  -- bundle | ndjson | form | rest | excel | unreadable
    media text not null default '',
    size bigint not null,
    body bytea,                          -- up to 64 KB; larger bodies stand in the blob folder under their digest
    institution bigint,                  -- who keeps foreign residents, where the import said so
    received_at timestamptz not null,
    finished_at timestamptz,
    state text not null,                 -- received | stored | unchanged | partly | quarantined
    actor bigint not null,
    done_lines bigint not null default 0,
    entries integer not null default 0,
    stored integer not null default 0,
    unchanged integer not null default 0,
    rejected integer not null default 0,
    reason jsonb,                        -- why the whole message waits: {code, zh, en, where}
    site smallint not null,
    unique (source_no, message_id, digest)
);
create index message_received on message (received_at desc);
create index message_source on message (source_no, received_at desc);

-- What could not be stored, each with reasons its sender can act on.
create table quarantine (
    quarantine_no bigint generated always as identity primary key,
    message_no bigint not null references message,
    entry_no integer not null,           -- 1-based entry of a bundle or line of a file; 0 = the whole message
    full_url text,
    rtype text,
    reason text not null,                -- invalid | reference | conflict | unreadable | encoding | empty | too_large | not_fhir | duplicate
    problems jsonb not null,             -- [{path, zh, en}]
    body bytea,
    state text not null default 'open',  -- open | replayed | discarded
    opened_at timestamptz not null,
    closed_at timestamptz,
    closed_by bigint,
    replayed_as bigint references message,
    unique (message_no, entry_no)
);
create index quarantine_open on quarantine (quarantine_no desc) where state = 'open';

-- Counts by institution, for the panel "institutions × data received".
create table message_tally (
    message_no bigint not null references message,
    institution bigint,
    rtype text not null,
    stored integer not null,
    rejected integer not null,
    last_event date
);
create index message_tally_message on message_tally (message_no);
create index message_tally_institution on message_tally (institution, message_no desc);
