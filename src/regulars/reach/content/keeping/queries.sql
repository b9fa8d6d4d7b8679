-- name: newest
select content_id, version, body, hash, at, actor from contents
where content_id = :content_id order by version desc limit 1

-- name: one
select content_id, version, body, hash, at, actor from contents
where content_id = :content_id and version = :version

-- name: versions
select content_id, version, body, hash, at, actor from contents
where content_id = :content_id order by version

-- name: list
-- The newest version of every content.
select c.content_id, c.version, c.body, c.hash, c.at, c.actor from contents c
where c.version = (select max(v.version) from contents v where v.content_id = c.content_id)
order by c.content_id

-- name: keep
insert into contents (content_id, version, channel, message_class, body, hash, at, actor)
values (:content_id, :version, :channel, :message_class, :body, :hash, :at, :actor)
