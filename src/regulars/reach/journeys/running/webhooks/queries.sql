-- name: keep
INSERT INTO journey_acts (act_key, hook, customer_id, body, state, attempts, next_at, at)
VALUES (:act_key, :hook, :customer_id, :body, 'waiting', 0, :at, :at)
ON CONFLICT (act_key) DO NOTHING

-- name: due
SELECT act_key, hook, customer_id, body, attempts FROM journey_acts
WHERE state = 'waiting' AND next_at <= :now ORDER BY next_at, act_key LIMIT :most

-- name: due [postgresql]
SELECT act_key, hook, customer_id, body, attempts FROM journey_acts
WHERE state = 'waiting' AND next_at <= :now ORDER BY next_at, act_key LIMIT :most
FOR UPDATE SKIP LOCKED

-- name: take
UPDATE journey_acts SET attempts = attempts + 1, next_at = :next_at WHERE act_key = :act_key

-- name: settle
UPDATE journey_acts SET state = :state, next_at = :next_at WHERE act_key = :act_key

-- name: counts
SELECT hook, state, COUNT(*) AS calls FROM journey_acts GROUP BY hook, state ORDER BY hook, state
