-- depends: 0073_verification

-- Documents as they were uploaded, whole: a plan can be read again by a better reader. Equal bytes are one document.
create table plan_document (
    document_no bigint generated always as identity primary key,
    digest text not null unique,
    filename text not null,
    content bytea not null,
    uploaded_at timestamptz not null,
    uploaded_by bigint,
    uploaded_name text not null
);

-- What a person decided about a printed row (modules/plan/reading/corrections.py); laid over every re-read by the fingerprint.
create table plan_correction (
    document_no bigint not null references plan_document,
    fingerprint text not null,
    action text not null check (action in ('accept', 'change', 'remove', 'add')),
    changes jsonb not null,
    corrected_at timestamptz not null,
    corrected_by bigint,
    corrected_name text not null,
    primary key (document_no, fingerprint)
);

-- A plan the district follows (its own, the city's) or compares itself with. part: which plan of the document, from 0.
-- area_name: as printed.  replaces: the version before this one.
create table plan (
    plan_no bigint generated always as identity primary key,
    document_no bigint not null references plan_document,
    part integer not null,
    title text not null,
    area_name text not null,
    level text not null check (level in ('own', 'city', 'compared')),
    start_year integer,
    end_year integer,
    status text not null default 'draft' check (status in ('draft', 'approved', 'superseded', 'withdrawn')),
    version integer not null default 1,
    replaces bigint references plan,
    read_at timestamptz not null,
    created_by bigint,
    created_name text not null,
    approved_at timestamptz,
    approved_by bigint,
    approved_name text
);
create index plan_title on plan (title);

-- One indicator of a plan. data: the row as read, with the corrections laid over it.  owner: who answers for it, where the district names another.
create table plan_indicator (
    indicator_no bigint generated always as identity primary key,
    plan_no bigint not null references plan,
    fingerprint text not null,
    place integer not null,
    data jsonb not null,
    owner text,
    removed_at timestamptz,
    unique (plan_no, fingerprint)
);

-- The path the district set: a value for the end of a year. The newest holds; earlier ones stay, ended.
create table plan_target (
    target_no bigint generated always as identity primary key,
    indicator_no bigint not null references plan_indicator,
    year integer not null,
    value double precision not null,
    set_at timestamptz not null,
    set_by bigint,
    set_name text not null,
    ended_at timestamptz
);
create unique index plan_target_holds on plan_target (indicator_no, year) where ended_at is null;

-- Which measure (with its variant) computes an indicator; a person confirmed it.
create table plan_binding (
    binding_no bigint generated always as identity primary key,
    indicator_no bigint not null references plan_indicator,
    measure text not null,
    confirmed_at timestamptz not null,
    confirmed_by bigint,
    confirmed_name text not null,
    ended_at timestamptz,
    ended_name text
);
create unique index plan_binding_holds on plan_binding (indicator_no) where ended_at is null;

-- Values from elsewhere (statistics, surveys). month: 1 to 12, 0 for the whole year.  Only approved ones are shown as today's value.
create table plan_value (
    value_no bigint generated always as identity primary key,
    indicator_no bigint not null references plan_indicator,
    year integer not null,
    month integer not null default 0 check (month between 0 and 12),
    value double precision not null,
    source text not null,
    state text not null default 'entered' check (state in ('entered', 'approved', 'refused')),
    entered_at timestamptz not null,
    entered_by bigint,
    entered_name text not null,
    decided_at timestamptz,
    decided_by bigint,
    decided_name text,
    ended_at timestamptz
);
create unique index plan_value_holds on plan_value (indicator_no, year, month) where ended_at is null;

-- A task of the plan. data: as read.  unit: who answers for it.  remind_on: the day from which it is shown to its unit as due soon.
create table plan_task (
    task_no bigint generated always as identity primary key,
    plan_no bigint not null references plan,
    key text not null,
    place integer not null,
    data jsonb not null,
    unit text,
    state text not null default 'open' check (state in ('open', 'doing', 'done', 'stuck')),
    due date,
    remind_on date,
    evidence text not null default '',
    changed_at timestamptz,
    changed_name text,
    removed_at timestamptz,
    unique (plan_no, key)
);
-- Every change of a task, newest last; never changed.
create table plan_task_note (
    note_no bigint generated always as identity primary key,
    task_no bigint not null references plan_task,
    noted_at timestamptz not null,
    noted_by bigint,
    noted_name text not null,
    state text not null,
    evidence text not null
);

-- A building or equipment project and its milestones.
create table plan_project (
    project_no bigint generated always as identity primary key,
    plan_no bigint not null references plan,
    key text not null,
    place integer not null,
    data jsonb not null,
    removed_at timestamptz,
    unique (plan_no, key)
);
create table plan_milestone (
    milestone_no bigint generated always as identity primary key,
    project_no bigint not null references plan_project,
    title text not null,
    due date,
    done_on date,
    note text not null default '',
    changed_at timestamptz not null,
    changed_by bigint,
    changed_name text not null,
    removed_at timestamptz
);

-- An inconsistency found in the document, and what a person decided about it.
create table plan_finding (
    finding_no bigint generated always as identity primary key,
    plan_no bigint not null references plan,
    key text not null,
    place integer not null,
    data jsonb not null,
    state text not null default 'open' check (state in ('open', 'accepted', 'corrected')),
    note text not null default '',
    decided_at timestamptz,
    decided_by bigint,
    decided_name text,
    gone_at timestamptz,
    unique (plan_no, key)
);
