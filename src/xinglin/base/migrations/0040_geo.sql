-- depends: 0001_base

-- Administrative divisions; area is the integer of the 12-digit code. polygon: GeoJSON geometry. lon, lat: a place inside, degrees.
create table division (
    area bigint primary key check (area between 1 and 999999999999),
    name text not null,
    level text not null check (level in ('province', 'city', 'county', 'town', 'village')),
    parent bigint,
    polygon jsonb,
    lon double precision check (lon between -180 and 180),
    lat double precision check (lat between -90 and 90),
    valid_from date,
    valid_to date,
    check (valid_to is null or valid_from is null or valid_to >= valid_from)
);
create index division_parent on division (parent);

-- Population figures as published, each with its source. age_band as "0-4", "65-69", "85+", "all"; sex "1", "2" or "all".
create table population (
    area bigint not null,
    year integer not null check (year between 1900 and 2200),
    age_band text not null,
    sex text not null check (sex in ('1', '2', 'all')),
    count bigint not null check (count >= 0),
    source text not null check (source <> ''),
    primary key (area, year, source, age_band, sex)
);
