-- name: keys
select name, key, origins, created_at, created_by, revoked_at from publishable_keys order by name

-- name: key
select name, key, origins, created_at, created_by, revoked_at from publishable_keys
where name = :name

-- name: find
select name, key, origins, created_at, created_by, revoked_at from publishable_keys
where key = :key and revoked_at is null

-- name: add
insert into publishable_keys (name, key, origins, created_at, created_by)
values (:name, :key, :origins, :created_at, :created_by)

-- name: revoke
update publishable_keys set revoked_at = :revoked_at where name = :name and revoked_at is null
