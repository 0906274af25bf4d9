-- depends: 0001_base

-- Who may sign in. A login is stored folded (NFKC, lower case). An account without a password cannot be used yet.
create table account (
    account_no bigint generated always as identity primary key,
    login text not null unique,
    display_name text not null,
    password_hash text,
    password_set_at timestamptz,
    must_change_password boolean not null default true,
    demo_password boolean not null default false,
    practitioner_rid bigint,
    totp_secret bytea,
    totp_confirmed_at timestamptz,
    totp_last_step bigint not null default 0,
    created_at timestamptz not null,
    created_by bigint not null,
    disabled_at timestamptz
);

create table password_history (
    history_no bigint generated always as identity primary key,
    account_no bigint not null references account,
    password_hash text not null
);
create index password_history_account on password_history (account_no, history_no);

-- An office of an account: role, institution (rid of Organization) and areas (12-digit division codes).
create table membership (
    membership_no bigint generated always as identity primary key,
    account_no bigint not null references account,
    role text not null,
    institution_rid bigint,
    areas bigint[] not null,
    given_by bigint not null,
    given_at timestamptz not null,
    ended_by bigint,
    ended_at timestamptz
);
create index membership_account on membership (account_no) where ended_at is null;
-- The three officers are three people: one account holds at most one of these offices.
create unique index membership_one_officer on membership (account_no)
    where ended_at is null and role in ('sysadmin', 'secadmin', 'auditor');

create table session (
    session_no bigint generated always as identity primary key,
    token_hash bytea not null unique,
    account_no bigint not null references account,
    membership_no bigint references membership,
    waits_for_code boolean not null,
    address text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index session_account on session (account_no) where ended_at is null;

-- Tries to sign in; the login only as a keyed hash, because people type passwords into the wrong box.
create table sign_in_try (
    try_no bigint generated always as identity primary key,
    login_hash bytea not null,
    address text not null,
    at timestamptz not null,
    succeeded boolean not null
);
create index sign_in_try_login on sign_in_try (login_hash, try_no);
create index sign_in_try_address on sign_in_try (address, at);

-- One-time codes with which the three officers make their accounts on a new installation.
create table setup_code (
    role text primary key,
    code_hash bytea not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    used_by bigint references account
);

-- A writer of the audit log: one start of one process. Its algorithm says how its chains are keyed.
create table audit_process (
    process bigint generated always as identity primary key,
    started_at timestamptz not null,
    algorithm text not null,
    site integer not null
);

create table audit (
    day date not null,
    process bigint not null,
    n bigint not null,
    at timestamptz not null,
    account_no bigint,
    role text not null,
    purpose text not null,
    institution bigint,
    action text not null,
    subject_type text not null,
    rids bigint[] not null,
    persons bigint[] not null,
    outcome text not null,
    detail text not null,
    request_id text not null,
    site integer not null,
    previous bytea not null,
    hash bytea not null,
    primary key (day, process, n)
);
create index audit_at on audit (at);
create index audit_account on audit (account_no, at);
create index audit_subjects on audit using gin (persons, rids);

-- The last link of each chain, written in the transaction that adds to the chain.
create table audit_head (
    day date not null,
    process bigint not null,
    n bigint not null,
    hash bytea not null,
    primary key (day, process)
);

-- Every minute the heads of all chains, chained in their turn.
create table audit_anchor (
    n bigint primary key,
    at timestamptz not null,
    algorithm text not null,
    heads text not null,
    previous bytea not null,
    hash bytea not null
);

-- The log only grows. (Whoever owns the table could switch this off; the chain shows it.)
create function refuse_change_of_audit() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log only grows';
end
$$;
create trigger audit_only_grows before update or delete or truncate on audit for each statement execute function refuse_change_of_audit();
create trigger audit_anchor_only_grows before update or delete or truncate on audit_anchor for each statement execute function refuse_change_of_audit();
