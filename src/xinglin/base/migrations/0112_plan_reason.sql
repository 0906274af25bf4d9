-- depends: 0111_plan_imports

-- What people say of an indicator that falls short: why, and what is done about it. It stands in the evaluation.
alter table plan_indicator add column reason text, add column reason_name text, add column reasoned_at timestamptz;
