-- depends:

-- What this installation knows about itself: one row a fact.
create table installation (
    name text primary key,
    value text not null,
    changed_at timestamptz not null default now()
);
