-- name: journeys
SELECT journey_no, journey_id FROM journeys WHERE state = 'running' ORDER BY journey_no

-- name: state
SELECT journey_id, state, version FROM journeys WHERE journey_no = :journey_no

-- name: due
SELECT instance_id, customer_id, times, version, node_no, visit, waits_for, wake_at, context
FROM journey_states
WHERE journey_no = :journey_no AND wake_at <= :until
ORDER BY wake_at, instance_id LIMIT :most

-- name: due [postgresql]
SELECT instance_id, customer_id, times, version, node_no, visit, waits_for, wake_at, context
FROM journey_states
WHERE journey_no = :journey_no AND wake_at <= :until
ORDER BY wake_at, instance_id LIMIT :most
FOR UPDATE SKIP LOCKED

-- name: add_steps
-- A step that was written before refuses the whole window.
INSERT INTO journey_steps (instance_id, visit, version, node_no, edge, at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(:rows)

-- name: add_steps [postgresql]
INSERT INTO journey_steps (instance_id, visit, version, node_no, edge, at)
SELECT CAST(value ->> 0 AS bigint), CAST(value ->> 1 AS bigint), CAST(value ->> 2 AS bigint),
       CAST(value ->> 3 AS bigint), CAST(value ->> 4 AS bigint), CAST(value ->> 5 AS bigint)
FROM json_array_elements(CAST(:rows AS json)) AS given (value)

-- name: move_on
UPDATE journey_states
SET node_no = g.value ->> 2, visit = g.value ->> 3, waits_for = g.value ->> 4,
    wake_at = g.value ->> 5, left_at = g.value ->> 6
FROM json_each(:rows) AS g
WHERE journey_states.instance_id = g.value ->> 0 AND journey_states.visit = g.value ->> 1

-- name: move_on [postgresql]
UPDATE journey_states
SET node_no = CAST(g.value ->> 2 AS bigint), visit = CAST(g.value ->> 3 AS bigint),
    waits_for = CAST(g.value ->> 4 AS bigint), wake_at = CAST(g.value ->> 5 AS bigint),
    left_at = CAST(g.value ->> 6 AS bigint)
FROM json_array_elements(CAST(:rows AS json)) AS g (value)
WHERE journey_states.instance_id = CAST(g.value ->> 0 AS bigint)
  AND journey_states.visit = CAST(g.value ->> 1 AS bigint)

-- name: keep_context
UPDATE journey_states SET context = :context WHERE instance_id = :instance_id

-- name: zones
SELECT customer_id, zone FROM contact_facts
WHERE zone IS NOT NULL AND customer_id IN (SELECT value FROM json_each(:customers))

-- name: zones [postgresql]
SELECT customer_id, zone FROM contact_facts
WHERE zone IS NOT NULL
  AND customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: add_contact
INSERT INTO journey_contacts (contact_key, instance_id) VALUES (:contact_key, :instance_id)
ON CONFLICT (contact_key) DO NOTHING
