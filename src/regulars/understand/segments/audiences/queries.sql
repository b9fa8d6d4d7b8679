-- name: audiences
-- The newest version of every audience that was not deleted.
select a.name, a.rule, a.description, a.owner, a.version, a.at, a.actor
from audiences a
where a.version = (select max(v.version) from audiences v where v.name = a.name) and a.deleted = 0
order by a.name

-- name: versions
select name, rule, description, owner, version, at, actor, deleted
from audiences where name = :name order by version

-- name: keep
insert into audiences (name, version, rule, description, owner, at, actor, deleted)
values (:name, :version, :rule, :description, :owner, :at, :actor, :deleted)

-- name: positions
select name, version, refresh, refreshed_at, basis, members from audience_positions order by name

-- name: move
insert into audience_positions (name, version, refresh, refreshed_at, basis, members)
values (:name, :version, :refresh, :refreshed_at, :basis, :members)
on conflict (name) do update set
    version = excluded.version, refresh = excluded.refresh, refreshed_at = excluded.refreshed_at,
    basis = excluded.basis, members = excluded.members
where excluded.refresh >= audience_positions.refresh

-- name: forget
delete from audience_positions where name = :name
