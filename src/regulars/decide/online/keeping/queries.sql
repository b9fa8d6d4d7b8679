-- name: keep
INSERT INTO journey_decisions (decision_id, customer_id, line)
VALUES (:decision_id, :customer_id, :line) ON CONFLICT (decision_id) DO NOTHING

-- name: last
SELECT value FROM watermarks WHERE name = 'online/journeys'

-- name: number
UPDATE journey_decisions SET batch = :batch WHERE batch IS NULL

-- name: numbered
SELECT line FROM journey_decisions WHERE batch = :batch ORDER BY decision_id

-- name: move
INSERT INTO watermarks (name, value) VALUES ('online/journeys', :batch)
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: forget
DELETE FROM journey_decisions WHERE batch = :batch
