-- depends: 0052_quarantine_reason

-- What was stored and should be looked at by its sender all the same (a check digit that does not fit, a code registered before):
-- the place and the words, never a value. At most some hundreds a message.
create table message_warning (
    message_no bigint not null,
    entry_no integer not null,
    path text not null,
    zh text not null,
    en text not null
);
create index message_warning_message on message_warning (message_no, entry_no);
