-- depends: 0001_base

-- Numbers of residents; a person is a cluster of source records (table person_link of the store says which).
create sequence person_number;

-- What identity compares: one row a source Patient, made from its newest version.
create table patient_key (
    patient bigint primary key,          -- rid of the source Patient
    source_no integer not null,
    id_number text,                      -- 18 characters, only when the check digit holds
    id_number_sent text,                 -- as sent, when the check digit does not hold
    name text not null default '',
    name_folded text not null default '',
    sex smallint not null default 0,     -- GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 not stated
    birth_date date,
    phone text,
    record_number text,                  -- 17-digit number of the resident health record
    area bigint,
    institution bigint,                  -- rid of the managing Organization
    death_date date,
    residence_status text,
    changed_at timestamptz not null default now()
);
create index patient_key_id_number on patient_key (id_number) where id_number is not null;
create index patient_key_demographics on patient_key (name_folded, birth_date);

-- The golden record: one row a person, what lists show and the search box looks in.
create table resident (
    person bigint primary key,
    name text not null default '',
    name_folded text not null default '',
    initials text not null default '',
    sex smallint not null default 0,
    birth_date date,
    death_date date,
    id_number text,
    phone text,
    record_number text,
    record_suffix text,                  -- last 8 digits, printed on forms
    area bigint,
    institution bigint,
    residence_status text,
    patients bigint[] not null,
    fields_from jsonb not null,          -- field → rid of the source Patient it was taken from
    changed_at timestamptz not null default now()
);
create index resident_name on resident (name_folded text_pattern_ops);
create index resident_initials on resident (initials text_pattern_ops);
create index resident_id_number on resident (id_number);
create index resident_phone on resident (phone);
create index resident_record_suffix on resident (record_suffix);
create index resident_record_number on resident (record_number);
create index resident_area on resident (area, name_folded);

-- What a steward should look at: rules that refused to link, or links that new facts put in doubt.
create table identity_review (
    review bigint generated always as identity primary key,
    patient bigint not null,
    person bigint not null,
    reason text not null,                -- code, see engines/identity/linking.py
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    closed_by integer,
    decision text,
    unique (patient, person, reason)
);

create table institution (
    rid bigint primary key,
    code text not null unique,
    name text not null,
    class text not null default '',
    part_of bigint,
    area bigint
);
create index institution_part_of on institution (part_of);

create table practitioner (
    rid bigint primary key,
    code text not null unique,
    name text not null,
    institution bigint,
    role text
);
create index practitioner_institution on practitioner (institution);
