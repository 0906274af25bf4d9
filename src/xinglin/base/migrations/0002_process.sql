-- depends: 0001_base

-- A number for each process that starts, never given twice: audit chains and lake commits carry it.
create sequence process_number;

-- Long work somebody watches: the load of the demonstration, imports, exports.
create table progress (
    job text primary key,
    label_zh text not null,
    label_en text not null,
    done bigint not null default 0,
    total bigint not null default 0,
    note text not null default '',
    started_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    finished_at timestamptz,
    failed text
);
