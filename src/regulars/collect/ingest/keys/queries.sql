-- name: keys
select key_hash, source, hint, scopes, origins, dialects, created_at, created_by, revoked_at
from write_keys order by source, created_at, key_hash

-- name: add
insert into write_keys (key_hash, source, hint, scopes, origins, dialects, created_at, created_by)
values (:key_hash, :source, :hint, :scopes, :origins, :dialects, :created_at, :created_by)

-- name: revoke
-- All keys of a source, or the one that begins as given.
update write_keys set revoked_at = :revoked_at
where source = :source and revoked_at is null and (:hint = '' or hint = :hint)
