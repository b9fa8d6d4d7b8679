-- name: turns
select number, as_of, now, status from turns order by number desc
