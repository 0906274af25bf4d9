-- depends: 0051_upper

-- Why somebody closed a row without sending it again.
alter table quarantine add column closed_reason text not null default '';
