-- depends: 0031_sort_key

-- The last serial of a health record number given out here, by village: two people who open a record at once get two numbers.
create table record_serial (
    area bigint primary key,             -- 12-digit division
    last integer not null
);
-- Numbers that came from elsewhere count too: the greatest of a village is looked up by range.
create index patient_key_record_number on patient_key (record_number collate "C") where record_number is not null;
