-- name: keys
select name, role, hint, created_at, created_by, revoked_at from api_keys order by name

-- name: users
select name from users where disabled = 0 order by name

-- name: key
select name, role, hint, created_at, created_by, revoked_at from api_keys where name = :name

-- name: find
-- By the hash of what was sent: the key itself is kept nowhere.
select name, role, hint, created_at, created_by, revoked_at from api_keys
where key_hash = :key_hash and revoked_at is null

-- name: add
insert into api_keys (name, key_hash, role, hint, created_at, created_by)
values (:name, :key_hash, :role, :hint, :created_at, :created_by)

-- name: revoke
update api_keys set revoked_at = :revoked_at where name = :name and revoked_at is null
