-- name: name_events
-- Whoever was somebody else when the event was stored is told of by her present id.
UPDATE journey_inbox SET customer_id = (
    SELECT d.customer_id FROM identifiers AS d WHERE d.node = journey_inbox.customer_id)
WHERE inbox_id IN (SELECT value FROM json_each(:numbers)) AND EXISTS (
    SELECT 1 FROM identifiers AS d
    WHERE d.node = journey_inbox.customer_id AND d.customer_id <> d.node)

-- name: name_events [postgresql]
UPDATE journey_inbox SET customer_id = (
    SELECT d.customer_id FROM identifiers AS d WHERE d.node = journey_inbox.customer_id)
WHERE inbox_id IN (
    SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:numbers AS json))) AND EXISTS (
    SELECT 1 FROM identifiers AS d
    WHERE d.node = journey_inbox.customer_id AND d.customer_id <> d.node)

-- name: under_other_ids
SELECT DISTINCT s.instance_id, s.journey_no, s.occurrence, s.wake_at, d.customer_id AS present
FROM journey_inbox AS i
JOIN identifiers AS d ON d.customer_id = i.customer_id AND d.node <> d.customer_id
JOIN journey_states AS s ON s.customer_id = d.node
WHERE i.inbox_id IN (SELECT value FROM json_each(:numbers))
ORDER BY s.instance_id

-- name: under_other_ids [postgresql]
SELECT DISTINCT s.instance_id, s.journey_no, s.occurrence, s.wake_at, d.customer_id AS present
FROM journey_inbox AS i
JOIN identifiers AS d ON d.customer_id = i.customer_id AND d.node <> d.customer_id
JOIN journey_states AS s ON s.customer_id = d.node
WHERE i.inbox_id IN (
    SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:numbers AS json)))
ORDER BY s.instance_id

-- name: hers
SELECT occurrence, times, wake_at FROM journey_states
WHERE customer_id = :present AND journey_no = :journey_no

-- name: rename
UPDATE journey_states SET customer_id = :present, occurrence = :occurrence, times = :times
WHERE instance_id = :instance_id

-- name: take_out
UPDATE journey_states SET waits_for = :signal, wake_at = :at
WHERE instance_id = :instance_id AND wake_at IS NOT NULL
