-- depends: 0112_plan_reason

-- An approved value stands until what is entered over it is approved itself: of a period one approved value holds, and beside it at most one
-- that waits or was refused. ended_for: the value that took the place of one that ended, so that taking it back brings back what it replaced.
alter table plan_value add column ended_for bigint references plan_value;
update plan_value o set ended_for = (
    select min(n.value_no) from plan_value n
    where (n.indicator_no, n.year, n.month) = (o.indicator_no, o.year, o.month) and n.value_no > o.value_no and n.entered_at = o.ended_at
) where o.ended_at is not null;
drop index plan_value_holds;
create unique index plan_value_holds on plan_value (indicator_no, year, month, (state = 'approved')) where ended_at is null;
create index plan_value_replaced on plan_value (ended_for) where ended_for is not null;
