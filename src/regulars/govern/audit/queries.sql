-- name: head
select * from audit_log order by number desc limit 1

-- name: add
insert into audit_log (number, at, actor, action, subject, detail, previous_hash, hash)
values (:number, :at, :actor, :action, :subject, :detail, :previous_hash, :hash)

-- name: page
-- Keyset paging keeps a log of millions of entries out of memory.
select * from audit_log where number > :after and number <= :last order by number limit :size

-- name: one
select * from audit_log where number = :number

-- name: newest
select * from audit_log where number < :before order by number desc limit :size

-- name: odd
-- Numbers no entry can have; a walk that starts at 1 would never meet them.
select count(*) as entries from audit_log where number < 1

-- name: anchors
select number, hash, at, signature from audit_anchors order by number

-- name: add_anchor
insert into audit_anchors (number, hash, at, signature) values (:number, :hash, :at, :signature)

-- name: erased
SELECT value FROM erased_ids WHERE value LIKE 'proof-%'
