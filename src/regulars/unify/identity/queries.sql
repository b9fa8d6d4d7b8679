

-- name: position
select sequence from identity_positions where partition = :partition

-- name: move_position
insert into identity_positions (partition, sequence) values (:partition, :sequence)
on conflict (partition) do update set sequence = excluded.sequence

-- name: next_ordinal
select coalesce(max(ordinal), 0) + 1 as number from identifiers

-- name: next_merge
select coalesce(max(number), 0) + 1 as number from merge_log

-- name: edges_to
-- Every edge that ends in one of these nodes: the pairs known, and who claims a value.
select e.* from json_each(:nodes) n cross join identity_edges e on e.b = n.value
order by e.a, e.b, e.kind

-- name: edges_to [postgresql]
select e.* from json_each(:nodes) n join identity_edges e on e.b = n.value
order by e.a, e.b, e.kind

-- name: edges_among
select e.* from json_each(:nodes) n cross join identity_edges e on e.a = n.value
where e.b in (select value from json_each(:nodes))
order by e.a, e.b, e.kind

-- name: edges_among [postgresql]
select e.* from json_each(:nodes) n join identity_edges e on e.a = n.value
where e.b in (select value from json_each(:nodes))
order by e.a, e.b, e.kind

-- name: nodes
-- These nodes, and all others of the same customers.
select i.* from identifiers i where i.node in (
    select value from json_each(:nodes)
    union
    select other.node from json_each(:nodes) n
    cross join identifiers known on known.node = n.value
    cross join identifiers other on other.customer_id = known.customer_id
) order by i.ordinal

-- name: nodes [postgresql]
select i.* from identifiers i where i.node in (
    select value from json_each(:nodes)
    union
    select other.node from json_each(:nodes) n
    join identifiers known on known.node = n.value
    join identifiers other on other.customer_id = known.customer_id
) order by i.ordinal

-- name: nodes_alone
select i.* from json_each(:nodes) n cross join identifiers i on i.node = n.value
order by i.ordinal

-- name: nodes_alone [postgresql]
select i.* from json_each(:nodes) n join identifiers i on i.node = n.value
order by i.ordinal

-- name: members
select * from identifiers where customer_id = :customer_id order by ordinal

-- name: members_of_many
select i.* from identifiers i where i.customer_id in (select value from json_each(:customers))
order by i.ordinal

-- name: members_of_many [postgresql]
select i.* from identifiers i
where i.customer_id in (select json_array_elements_text(cast(:customers as json)))
order by i.ordinal

-- name: merges
select coalesce(max(number), 0) as merges from merge_log

-- name: owner
select customer_id from identifiers where node = :node

-- name: owners
select i.node, i.customer_id from json_each(:nodes) n cross join identifiers i on i.node = n.value
order by i.node

-- name: owners [postgresql]
select i.node, i.customer_id from json_each(:nodes) n join identifiers i on i.node = n.value
order by i.node

-- name: aliases
select node, customer_id from identifiers where customer_id <> node order by node

-- name: put_node
insert into identifiers (
    node, namespace, value, customer_id, ordinal, first_seen, last_seen, evidence, is_shared
) values (
    :node, :namespace, :value, :customer_id, :ordinal, :first_seen, :last_seen, :evidence,
    :is_shared
) on conflict (node) do update set
    customer_id = excluded.customer_id, last_seen = excluded.last_seen,
    is_shared = excluded.is_shared

-- name: put_edge
insert into identity_edges (
    a, b, kind, rule, weight, evidence, valid_from, valid_to, standing, reason
) values (
    :a, :b, :kind, :rule, :weight, :evidence, :valid_from, :valid_to, :standing, :reason
) on conflict (a, b, kind) do update set
    rule = excluded.rule, weight = excluded.weight, evidence = excluded.evidence,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    standing = excluded.standing, reason = excluded.reason

-- name: add_merge
insert into merge_log (
    number, at, actor, action, survivor, other, a, b, kind, rule, evidence, moved, reason
) values (
    :number, :at, :actor, :action, :survivor, :other, :a, :b, :kind, :rule, :evidence, :moved,
    :reason
)

-- name: merge
select * from merge_log where number = :number

-- name: undone
update merge_log set undone_by = :by where number = :number

-- name: merges_of
select * from merge_log where survivor = :customer_id or other = :customer_id
order by number desc limit 100

-- name: edges_of
select e.* from identifiers i cross join identity_edges e on e.a = i.node
where i.customer_id = :customer_id
union
select e.* from identifiers i cross join identity_edges e on e.b = i.node
where i.customer_id = :customer_id
order by 1, 2, 3

-- name: edges_of [postgresql]
select e.* from identifiers i join identity_edges e on e.a = i.node
where i.customer_id = :customer_id
union
select e.* from identifiers i join identity_edges e on e.b = i.node
where i.customer_id = :customer_id
order by 1, 2, 3

-- name: neighbours
-- Customers who claim, or own, a value that somebody of these owns or claims, too.
select distinct mine.customer_id as customer_id, theirs.customer_id as other
from json_each(:customers) c
cross join identifiers mine on mine.customer_id = c.value
cross join identity_edges e on e.b = mine.node
cross join identifiers theirs on theirs.node = e.a
where e.standing = 'refused' and mine.is_shared = 0
union
select distinct mine.customer_id, theirs.customer_id
from json_each(:customers) c
cross join identifiers mine on mine.customer_id = c.value
cross join identity_edges e on e.a = mine.node
cross join identifiers theirs on theirs.node = e.b
where e.standing = 'refused' and theirs.is_shared = 0
order by 1, 2

-- name: neighbours [postgresql]
select distinct mine.customer_id as customer_id, theirs.customer_id as other
from json_each(:customers) c
join identifiers mine on mine.customer_id = c.value
join identity_edges e on e.b = mine.node
join identifiers theirs on theirs.node = e.a
where e.standing = 'refused' and mine.is_shared = 0
union
select distinct mine.customer_id, theirs.customer_id
from json_each(:customers) c
join identifiers mine on mine.customer_id = c.value
join identity_edges e on e.a = mine.node
join identifiers theirs on theirs.node = e.b
where e.standing = 'refused' and theirs.is_shared = 0
order by 1, 2
