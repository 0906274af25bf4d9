-- depends: 0020_store

-- Write current bodies, history, indexes and feed in one statement while holding the row of feed_head.
-- Items are one version each, no rid twice. p_if: the version expected now (0 = none), null = any. p_head null = delete.
-- The body is head || version || instant || tail. Returns one row per item, in order.
create function store_write(
    p_site smallint, p_now timestamptz,
    p_rid bigint[], p_rtype text[], p_id text[], p_if integer[],
    p_digest bytea[], p_head bytea[], p_tail bytea[],
    p_pat bigint[], p_others text[], p_dt bigint[], p_dt_end bigint[], p_tok text[],
    p_actor bigint[], p_message bigint[], p_source integer[],
    s_rid bigint[], s_param text[], s_value text[],
    d_rid bigint[], d_param text[], d_low bigint[], d_high bigint[],
    n_rid bigint[], n_param text[], n_low double precision[], n_high double precision[], n_unit bigint[], n_unit_code bigint[]
) returns table (item bigint, status text, version integer, feed_seq bigint, stamp timestamptz)
language plpgsql
set enable_seqscan = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $function$
declare
    v_seq bigint;
    v_ts timestamptz;
    v_stamp bytea;
begin
    -- Who stands still while everybody waits for it loses its turn.
    perform set_config('idle_in_transaction_session_timeout', '60s', true);
    select h.seq, greatest(h.ts, date_trunc('milliseconds', p_now)) into v_seq, v_ts from feed_head h for update;
    v_stamp := convert_to('","lastUpdated":"' || to_char(v_ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"', 'UTF8');
    return query
    with given as materialized (
        select u.*
        from unnest(p_rid, p_rtype, p_id, p_if, p_digest, p_head, p_tail, p_pat, p_others, p_dt, p_dt_end, p_tok, p_actor, p_message, p_source)
            with ordinality as u(rid, rtype, id, expected, digest, head, tail, pat, others, dt, dt_end, tok, actor, message_no, source_no, ord)
    ), decided as materialized (
        select g.*, r.ver as present, r.seq as present_seq, r.ts as present_ts, r.pat as present_pat, r.others as present_others,
            coalesce(r.ver, (select h.ver from hist h where h.rid = g.rid order by h.ver desc limit 1), 0) as last_ver,
            case
                when g.expected is not null and g.expected <> coalesce(r.ver, 0) then 'conflict'
                when g.head is null and r.ver is null then 'unchanged'
                when g.head is null then 'deleted'
                when r.digest = g.digest then 'unchanged'
                when r.ver is null then 'created'
                else 'updated'
            end as verdict
        from given g left join res r on r.rid = g.rid and r.rtype = g.rtype
    ), counted as materialized (
        select d.*, d.last_ver + 1 as ver, v_seq + row_number() over (order by d.ord) as seq,
            d.head || convert_to((d.last_ver + 1)::text, 'UTF8') || v_stamp || d.tail as body
        from decided d where d.verdict in ('created', 'updated', 'deleted')
    ), superseded as (
        insert into hist (rid, seq, ts, pat, message_no, ver, source_no, site, rtype, id, others, body)
        select r.rid, r.seq, r.ts, r.pat, r.message_no, r.ver, r.source_no, r.site, r.rtype, r.id, r.others, r.body
        from counted c join res r on r.rid = c.rid and r.rtype = c.rtype where c.verdict in ('updated', 'deleted')
    ), tombstone as (
        insert into hist (rid, seq, ts, pat, message_no, ver, source_no, site, rtype, id, others, body)
        select c.rid, c.seq, v_ts, c.present_pat, c.message_no, c.ver, c.source_no, p_site, c.rtype, c.id, c.present_others, null
        from counted c where c.verdict = 'deleted'
    ), gone as (
        delete from res r using counted c where r.rid = c.rid and r.rtype = c.rtype and c.verdict = 'deleted'
    ), changed as (
        update res r set seq = c.seq, ts = v_ts, pat = c.pat, dt = coalesce(c.dt, -9223372036854775808), dt_end = c.dt_end, message_no = c.message_no,
            ver = c.ver, source_no = c.source_no, site = p_site, others = c.others::bigint[], tok = c.tok::bigint[], digest = c.digest, body = c.body
        from counted c where r.rid = c.rid and r.rtype = c.rtype and c.verdict = 'updated'
    ), created as (
        insert into res (rid, seq, ts, pat, dt, dt_end, message_no, ver, source_no, site, rtype, id, others, tok, digest, body)
        select c.rid, c.seq, v_ts, c.pat, coalesce(c.dt, -9223372036854775808), c.dt_end, c.message_no, c.ver, c.source_no, p_site, c.rtype, c.id,
            c.others::bigint[], c.tok::bigint[], c.digest, c.body
        from counted c where c.verdict = 'created'
    ), old_string as (
        delete from idx_string x using counted c where x.rid = c.rid and c.verdict <> 'created'
    ), old_date as (
        delete from idx_date x using counted c where x.rid = c.rid and c.verdict <> 'created'
    ), old_number as (
        delete from idx_number x using counted c where x.rid = c.rid and c.verdict <> 'created'
    ), new_string as (
        insert into idx_string (rid, param, value)
        select u.rid, u.param, u.value from unnest(s_rid, s_param, s_value) as u(rid, param, value)
        where u.rid in (select c.rid from counted c)
    ), new_date as (
        insert into idx_date (rid, param, low, high)
        select u.rid, u.param, u.low, u.high from unnest(d_rid, d_param, d_low, d_high) as u(rid, param, low, high)
        where u.rid in (select c.rid from counted c)
    ), new_number as (
        insert into idx_number (rid, param, low, high, unit, unit_code)
        select u.rid, u.param, u.low, u.high, u.unit, u.unit_code
        from unnest(n_rid, n_param, n_low, n_high, n_unit, n_unit_code) as u(rid, param, low, high, unit, unit_code)
        where u.rid in (select c.rid from counted c)
    ), fed as (
        insert into feed (seq, kind, rid, ver, rtype, person, actor, message_no, ts, site)
        select c.seq, 'resource', c.rid, c.ver, c.rtype,
            (select l.person from person_link l
             where l.patient = case when c.verdict = 'deleted' then c.present_pat else c.pat end and l.to_seq is null),
            c.actor, c.message_no, v_ts, p_site
        from counted c
    ), headed as (
        update feed_head set seq = v_seq + (select count(*) from counted), ts = v_ts where exists (select 1 from counted)
    )
    select c.ord, c.verdict, c.ver, c.seq, v_ts from counted c
    union all
    select d.ord, d.verdict, coalesce(d.present, d.last_ver), d.present_seq, d.present_ts from decided d where d.verdict in ('conflict', 'unchanged')
    order by 1;
    perform pg_notify('xinglin_feed', h.seq::text) from feed_head h where h.seq > v_seq;
end
$function$;

-- Say which person source patients belong to. A null person ends the present link. What already holds changes nothing.
create function store_link(
    p_site smallint, p_now timestamptz, p_patient bigint[], p_person bigint[], p_decision text[], p_actor bigint[], p_message bigint[]
) returns bigint
language plpgsql
set enable_seqscan = off
set enable_mergejoin = off
as $function$
declare
    v_seq bigint;
    v_ts timestamptz;
    v_count bigint;
begin
    -- Who stands still while everybody waits for it loses its turn.
    perform set_config('idle_in_transaction_session_timeout', '60s', true);
    select h.seq, greatest(h.ts, date_trunc('milliseconds', p_now)) into v_seq, v_ts from feed_head h for update;
    with given as materialized (
        select u.*, l.person as old_person, l.from_seq as old_from
        from unnest(p_patient, p_person, p_decision, p_actor, p_message)
            with ordinality as u(patient, person, decision, actor, message_no, ord)
            left join person_link l on l.patient = u.patient and l.to_seq is null
        where l.person is distinct from u.person
    ), entry as materialized (
        select e.*, v_seq + row_number() over (order by e.ord, e.begun) as seq
        from (
            select g.ord, 0 as begun, g.patient, g.old_person as person, g.decision, g.actor, g.message_no, g.old_from
            from given g where g.old_person is not null
            union all
            select g.ord, 1, g.patient, g.person, g.decision, g.actor, g.message_no, null from given g where g.person is not null
        ) e
    ), ended as (
        update person_link l set to_seq = e.seq from entry e where e.begun = 0 and l.patient = e.patient and l.from_seq = e.old_from
        returning l.patient
    ), fed as (
        insert into feed (seq, kind, rid, ver, person, actor, message_no, ts, site)
        select e.seq, 'link', e.patient, e.begun, e.person, e.actor, e.message_no, v_ts, p_site from entry e
    ), begun as (
        -- Reads `ended` so that the old row is closed before the new one is written.
        insert into person_link (patient, person, from_seq, decision)
        select e.patient, e.person, e.seq, e.decision from entry e where e.begun = 1 and (select count(*) from ended) >= 0
    )
    select count(*) into v_count from entry;
    if v_count > 0 then
        update feed_head set seq = v_seq + v_count, ts = v_ts;
        perform pg_notify('xinglin_feed', (v_seq + v_count)::text);
    end if;
    return v_count;
end
$function$;

-- Say where persons belong. A null area and institution end the present belonging. What already holds changes nothing.
create function store_scope(
    p_site smallint, p_now timestamptz, p_person bigint[], p_area bigint[], p_institution bigint[], p_reason text[],
    p_actor bigint[], p_message bigint[]
) returns bigint
language plpgsql
set enable_seqscan = off
set enable_mergejoin = off
as $function$
declare
    v_seq bigint;
    v_ts timestamptz;
    v_count bigint;
begin
    -- Who stands still while everybody waits for it loses its turn.
    perform set_config('idle_in_transaction_session_timeout', '60s', true);
    select h.seq, greatest(h.ts, date_trunc('milliseconds', p_now)) into v_seq, v_ts from feed_head h for update;
    with given as materialized (
        select u.*, s.from_seq as old_from, s.area as old_area, s.institution as old_institution
        from unnest(p_person, p_area, p_institution, p_reason, p_actor, p_message)
            with ordinality as u(person, area, institution, reason, actor, message_no, ord)
            left join person_scope s on s.person = u.person and s.to_seq is null
        where (s.area, s.institution) is distinct from (u.area, u.institution)
    ), entry as materialized (
        select e.*, v_seq + row_number() over (order by e.ord, e.begun) as seq
        from (
            select g.ord, 0 as begun, g.person, null::bigint as area, null::bigint as institution, g.reason, g.actor, g.message_no, g.old_from
            from given g where g.old_from is not null
            union all
            select g.ord, 1, g.person, g.area, g.institution, g.reason, g.actor, g.message_no, null
            from given g where g.area is not null or g.institution is not null
        ) e
    ), ended as (
        update person_scope s set to_seq = e.seq from entry e where e.begun = 0 and s.person = e.person and s.from_seq = e.old_from
        returning s.person
    ), fed as (
        insert into feed (seq, kind, ver, person, actor, message_no, ts, site)
        select e.seq, 'scope', e.begun, e.person, e.actor, e.message_no, v_ts, p_site from entry e
    ), begun as (
        -- Reads `ended` so that the old row is closed before the new one is written.
        insert into person_scope (person, area, institution, from_seq, reason)
        select e.person, e.area, e.institution, e.seq, e.reason from entry e where e.begun = 1 and (select count(*) from ended) >= 0
    )
    select count(*) into v_count from entry;
    if v_count > 0 then
        update feed_head set seq = v_seq + v_count, ts = v_ts;
        perform pg_notify('xinglin_feed', (v_seq + v_count)::text);
    end if;
    return v_count;
end
$function$;
