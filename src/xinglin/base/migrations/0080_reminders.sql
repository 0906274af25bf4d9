-- depends: 0110_plans

-- What an account did with a reminder. What waits is not kept: it is asked of the rooms each time. subject: names the thing and its day,
-- so that a new day or a new arrival is a new reminder.
create table reminder_mark (
    account_no bigint not null references account,
    kind text not null,
    subject text not null,
    state text not null check (state in ('read', 'dismissed')),
    marked_at timestamptz not null,
    primary key (account_no, kind, subject)
);

-- The responsible units, as plans print them, that an account answers for beside its own institution.
create table reminder_unit (
    account_no bigint not null references account,
    unit text not null,
    chosen_at timestamptz not null,
    primary key (account_no, unit)
);

-- What waits of plans is found without reading whole tables.
create index plan_task_waits on plan_task (least(due, remind_on)) where removed_at is null and state <> 'done' and (due is not null or remind_on is not null);
create index plan_milestone_waits on plan_milestone (due) where removed_at is null and done_on is null and due is not null;
create index plan_value_waits on plan_value (indicator_no) where ended_at is null and state = 'entered';
create index plan_indicator_doubtful on plan_indicator (plan_no) where removed_at is null and data->>'sure' = 'false';
create index plan_finding_waits on plan_finding (plan_no) where gone_at is null and state = 'open';
