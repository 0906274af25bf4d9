-- depends: 0080_reminders

-- A sheet sent for a plan: what it would change, shown before anything is kept, and what it did change, so that it can be taken back.
-- changes: [{line, key, label, before, after, outcome}]; before and after are what a row holds, null for nothing.  refused: [{line, zh, en}].
create table plan_import (
    import_no bigint generated always as identity primary key,
    plan_no bigint not null references plan,
    kind text not null,
    filename text not null,
    changes jsonb not null,
    refused jsonb not null,
    state text not null default 'shown' check (state in ('shown', 'taken', 'undone')),
    made_at timestamptz not null,
    made_by bigint,
    made_name text not null,
    changed_at timestamptz
);
create index plan_import_plan on plan_import (plan_no);
