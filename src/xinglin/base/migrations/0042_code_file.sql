-- depends: 0041_terminology

-- Files of codes, correspondences, divisions and figures as a steward sent them: looked through first, loaded when somebody says so.
-- facts: what the form says of a code system.  problems: [{where, zh, en}].  changes: {rows, added, changed, retired, same}.
create table code_file (
    file_no bigint generated always as identity primary key,
    kind text not null check (kind in ('concepts', 'maps', 'divisions', 'population')),
    name text not null,
    subject text not null,
    facts jsonb not null,
    content bytea not null,
    problems jsonb not null,
    changes jsonb not null,
    state text not null check (state in ('looked', 'refused', 'loaded', 'discarded')),
    sent_by bigint not null,
    sent_at timestamptz not null,
    decided_by bigint,
    decided_at timestamptz
);
create index code_file_newest on code_file (kind, file_no desc);
