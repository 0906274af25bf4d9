-- depends: 0002_process

-- What the engine process did by itself: one row a run, the newest says when, how long and with what outcome.
-- day: the district's day it was done for.  detail: counts by name, never a value of a record.  failed: a sentence, null where it went well.
create table engine_run (
    run_no bigint generated always as identity primary key,
    job text not null,
    day date not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    duration_ms bigint,
    detail jsonb not null default '{}',
    failed text
);
create index engine_run_job on engine_run (job, run_no desc);

-- How far a reader of the feed has come, for readers that keep what they make in this database.
-- mark: what its results were made with (a digest); another mark means that everything is to be made anew.
create table feed_reader (
    name text primary key,
    seq bigint not null,
    mark text not null default '',
    changed_at timestamptz not null
);
