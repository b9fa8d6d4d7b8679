-- name: unread
select source, file, reason, line, since from unreadable_files order by source, file

-- name: forget_unread
delete from unreadable_files where source = :source

-- name: keep_unread
insert into unreadable_files (source, file, reason, line, since)
values (:source, :file, :reason, :line, :since)
