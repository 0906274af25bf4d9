-- depends: 0001_base

-- A code system as loaded. is_complete: every code is here, so one that is not here is wrong.
create table code_system (
    url text primary key,
    version text not null,
    name_zh text not null,
    name_en text not null,
    is_complete boolean not null,
    source text not null check (source <> ''),
    loaded_at timestamptz not null
);

create table concept (
    system text not null references code_system,
    code text not null,
    display_zh text not null,
    display_en text not null,
    parent text,
    is_active boolean not null default true,
    primary key (system, code)
);
create index concept_parent on concept (system, parent);

-- What belongs to a value set: a code, or (code null) a whole system.
create table value_set_member (
    value_set text not null,
    system text not null,
    code text,
    source text not null check (source <> ''),
    unique nulls not distinct (value_set, system, code)
);

-- A correspondence somebody vouches for. Never changed: ended and entered again, so that it is known what held when.
create table concept_map (
    map_no bigint generated always as identity primary key,
    source_system text not null,
    source_code text not null,
    target_system text not null,
    target_code text not null,
    equivalence text not null,
    source text not null check (source <> ''),
    entered_by bigint not null,
    entered_at timestamptz not null,
    ended_by bigint,
    ended_at timestamptz,
    end_reason text
);
create unique index concept_map_open on concept_map (source_system, source_code, target_system, target_code) where ended_at is null;
create index concept_map_target on concept_map (target_system, target_code) where ended_at is null;
