-- name: list
SELECT id, definition, state, first_place, last_place, power_plan, started_at, stopped_at,
    concluded_at, conclusion, edited_by, edited_at FROM experiments ORDER BY edited_at DESC, id

-- name: one
SELECT id, definition, state, first_place, last_place, power_plan, started_at, stopped_at,
    concluded_at, conclusion, edited_by, edited_at FROM experiments WHERE id = :id

-- name: put
INSERT INTO experiments (id, definition, state, first_place, last_place, power_plan, started_at,
    stopped_at, concluded_at, conclusion, edited_by, edited_at)
VALUES (:id, :definition, 'draft', 0, 0, '', '', '', '', '', :actor, :at)
ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, edited_by = excluded.edited_by,
    edited_at = excluded.edited_at

-- name: start
UPDATE experiments SET state = 'running', first_place = :first, last_place = :last,
    power_plan = :power_plan, started_at = :at WHERE id = :id AND state = 'draft'

-- name: stop
UPDATE experiments SET state = 'stopped', stopped_at = :at WHERE id = :id AND state = 'running'

-- name: conclude
UPDATE experiments SET state = 'concluded', concluded_at = :at, conclusion = :conclusion
WHERE id = :id AND state = 'stopped'

-- name: drop
DELETE FROM experiments WHERE id = :id AND state = 'draft'

-- name: next_change
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM experiment_changes

-- name: change
INSERT INTO experiment_changes (number, experiment_id, verb, actor, reason, at)
VALUES (:number, :id, :verb, :actor, :reason, :at)

-- name: changes
SELECT verb, actor, reason, at FROM experiment_changes WHERE experiment_id = :id
ORDER BY number

-- name: exposed
SELECT customer_id, variant, at FROM experiment_exposures WHERE experiment_id = :id
ORDER BY customer_id

-- name: counts
SELECT experiment_id, variant, COUNT(*) AS customers FROM experiment_exposures
GROUP BY experiment_id, variant ORDER BY experiment_id, variant

-- name: look
INSERT INTO experiment_looks (experiment_id, number, share, readout, actor, at)
VALUES (:id, :number, :share, :readout, :actor, :at)
ON CONFLICT (experiment_id, number) DO NOTHING

-- name: looks
SELECT number, share, readout, actor, at FROM experiment_looks WHERE experiment_id = :id
ORDER BY number
