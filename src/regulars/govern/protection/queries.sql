-- name: make_values
create table if not exists vault_values (
    token text primary key,
    kind text not null,
    masked text not null,
    tail text not null,
    wrapped_key blob not null,
    sealed blob not null
) without rowid

-- name: make_tails
create index if not exists vault_values_by_tail on vault_values (kind, tail)

-- name: make_about
create table if not exists vault_about (name text primary key, value text not null)

-- name: fingerprint
select value from vault_about where name = 'key fingerprint'

-- name: keep_fingerprint
insert into vault_about (name, value) values ('key fingerprint', :value)
on conflict (name) do nothing

-- name: known
select token from vault_values where token in (select value from json_each(:tokens))

-- name: keep
-- A value is kept once: its data key stays the one its subject's erasure will delete.
insert into vault_values (token, kind, masked, tail, wrapped_key, sealed)
values (:token, :kind, :masked, :tail, :wrapped_key, :sealed)
on conflict (token) do nothing

-- name: sealed
select token, wrapped_key, sealed from vault_values
where token in (select value from json_each(:tokens))

-- name: masked
select token, masked from vault_values where token in (select value from json_each(:tokens))

-- name: ending
select token from vault_values where kind = :kind and tail = :tail order by token

-- name: shred
delete from vault_values where token in (select value from json_each(:tokens))

-- name: is_made
select name from sqlite_master where type = 'table' and name = 'vault_about'
