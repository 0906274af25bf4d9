-- depends: 0011_audit_owed

-- When an entry was written into its chain, where that is not the instant it tells of: a promise that was kept after the process that made
-- it was gone. Null for an entry written as it happened. Order in a chain is n, which is the order of writing.
alter table audit add column recorded_at timestamptz;
