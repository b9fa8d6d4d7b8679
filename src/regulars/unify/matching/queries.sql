-- The newest run of a source names the files that hold what is remembered of it.
-- name: newest_run
SELECT number, files, learned
FROM matching_runs
WHERE source = :source
ORDER BY number DESC
LIMIT 1

-- name: next_run
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM matching_runs

-- name: put_run
INSERT INTO matching_runs (
    number, source, at, mode, records, customers, pairs, links, moved, files, learned
)
VALUES (
    :number, :source, :at, :mode, :records, :customers, :pairs, :links, :moved, :files, :learned
)

-- An id that names nobody any more points at the customer who has its records now.
-- name: put_alias
INSERT INTO matching_aliases (old_id, customer_id, run) VALUES (:old_id, :customer_id, :run)
ON CONFLICT (old_id) DO UPDATE SET customer_id = excluded.customer_id, run = excluded.run

-- name: move_aliases
UPDATE matching_aliases SET customer_id = :customer_id, run = :run WHERE customer_id = :old_id

-- An id that names somebody again is no alias.
-- name: revive
DELETE FROM matching_aliases WHERE old_id = :old_id

-- name: aliases
SELECT old_id, customer_id FROM matching_aliases ORDER BY old_id
