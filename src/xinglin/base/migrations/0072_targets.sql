-- depends: 0070_rules

-- Assigned target numbers 任务数. One row holds per (area, institution, programme, year): the newest with ended_at null; earlier ones stay.
-- programme: hypertension | diabetes2 | elderly | records.  set_by: account, null where a file brought it.
create table assigned_target (
    target_no bigint generated always as identity primary key,
    area bigint not null,
    institution bigint,
    programme text not null,
    year smallint not null,
    target integer not null check (target >= 0),
    source text not null,
    set_by bigint,
    set_at timestamptz not null,
    ended_at timestamptz
);
create unique index assigned_target_now on assigned_target (year, programme, area, coalesce(institution, 0)) where ended_at is null;
