-- depends: 0072_targets

-- What a check found worth verifying (engines/rules/authenticity.py). The decision is kept when the check finds it again.
-- subject: what makes it the same finding.  gone_at: the check no longer finds it.  state: open | verified | problem.
create table finding (
    finding_no bigint generated always as identity primary key,
    check_code text not null,
    subject text not null,
    person bigint,
    worker bigint,
    institution bigint,
    area bigint,
    day date,
    evidence bigint[] not null,
    facts jsonb not null,
    seq bigint not null,
    found_at timestamptz not null,
    gone_at timestamptz,
    state text not null default 'open',
    unique (check_code, subject)
);
create index finding_person on finding (person);
create index finding_state on finding (state, check_code) where gone_at is null;

-- Every decision on a finding, newest last; never changed.
create table finding_decision (
    finding_no bigint not null references finding,
    decided_at timestamptz not null,
    decided_by bigint not null,
    decided_name text not null,
    state text not null,
    note text not null,
    primary key (finding_no, decided_at)
);

-- A sample drawn for checking by telephone. Whoever has seed, seq and frame draws the same people again.
-- frame: {kind, from, to, area}.  frame_count: how many it was drawn from.  seq: of the record it was drawn at.
create table check_sample (
    sample_no bigint generated always as identity primary key,
    title text not null,
    frame jsonb not null,
    area bigint not null,
    seed text not null,
    wanted integer not null check (wanted > 0),
    frame_count integer not null,
    seq bigint not null,
    drawn_at timestamptz not null,
    drawn_by bigint not null,
    drawn_name text not null
);

-- result: open | true | false | unreachable | refused.
create table check_sample_item (
    sample_no bigint not null references check_sample,
    place integer not null,
    visit bigint not null,
    person bigint not null,
    day date not null,
    worker bigint,
    institution bigint,
    way text,
    result text not null default 'open',
    note text not null default '',
    decided_at timestamptz,
    decided_by bigint,
    decided_name text,
    primary key (sample_no, place)
);
create index check_sample_item_person on check_sample_item (person);
