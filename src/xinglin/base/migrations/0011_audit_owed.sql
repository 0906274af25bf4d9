-- depends: 0010_security

-- Entries of the audit log that were promised in the transaction of what they tell of, until their place in a chain is committed.
-- A row that is left belongs to a process that died in between; any process writes it down then.
create table audit_owed (
    owed_no bigint generated always as identity primary key,
    entry jsonb not null,
    at timestamptz not null default now()
);
