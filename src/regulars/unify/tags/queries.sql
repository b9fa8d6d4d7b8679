-- name: tags
-- The newest version of every tag that was not deleted.
select t.name, t.kind, t.definition, t.description, t.owner, t.expires_on, t.keep_days,
       t.version, t.at, t.actor
from tags t
where t.version = (select max(v.version) from tags v where v.name = t.name) and t.deleted = 0
order by t.name

-- name: versions
select name, kind, definition, description, owner, expires_on, keep_days, version, at, actor,
       deleted
from tags where name = :name order by version

-- name: keep
insert into tags (name, version, kind, definition, description, owner, expires_on, keep_days,
                  at, actor, deleted)
values (:name, :version, :kind, :definition, :description, :owner, :expires_on, :keep_days,
        :at, :actor, :deleted)

-- name: marks
select name, customer_id, mark, at from tag_marks order by name, customer_id

-- name: marks_of
select name, mark, at from tag_marks
where customer_id in (select value from json_each(:nodes)) order by name, at, customer_id

-- name: marks_of [postgresql]
select name, mark, at from tag_marks
where customer_id in (select json_array_elements_text(cast(:nodes as json)))
order by name, at, customer_id

-- name: mark
insert into tag_marks (name, customer_id, mark, at, actor)
values (:name, :customer_id, :mark, :at, :actor)
on conflict (name, customer_id) do update
set mark = excluded.mark, at = excluded.at, actor = excluded.actor

-- name: drop_marks
delete from tag_marks where name = :name
