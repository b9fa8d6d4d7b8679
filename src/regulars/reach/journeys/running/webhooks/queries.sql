-- name: keep
INSERT INTO journey_acts
    (act_key, journey_id, hook, customer_id, body, state, attempts, next_at, at)
VALUES (:act_key, :journey_id, :hook, :customer_id, :body, 'waiting', 0, :at, :at)
ON CONFLICT (act_key) DO NOTHING

-- name: due
-- Calls of a paused journey wait until it goes on.
SELECT a.act_key, a.hook, a.customer_id, a.body, a.attempts
FROM journey_acts AS a
JOIN journeys AS j ON j.journey_id = a.journey_id AND j.state = 'running'
WHERE a.state = 'waiting' AND a.next_at <= :now ORDER BY a.next_at, a.act_key LIMIT :most

-- name: due [postgresql]
SELECT a.act_key, a.hook, a.customer_id, a.body, a.attempts
FROM journey_acts AS a
JOIN journeys AS j ON j.journey_id = a.journey_id AND j.state = 'running'
WHERE a.state = 'waiting' AND a.next_at <= :now ORDER BY a.next_at, a.act_key LIMIT :most
FOR UPDATE OF a SKIP LOCKED

-- name: take
UPDATE journey_acts SET attempts = attempts + 1, next_at = :next_at WHERE act_key = :act_key

-- name: settle
-- Whoever stopped the journey, or took the call over, meanwhile has the last word.
UPDATE journey_acts SET state = :state, next_at = :next_at
WHERE act_key = :act_key AND state = 'waiting' AND attempts = :attempts

-- name: counts
SELECT hook, state, COUNT(*) AS calls FROM journey_acts GROUP BY hook, state ORDER BY hook, state
