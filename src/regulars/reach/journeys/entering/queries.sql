-- name: span
SELECT MIN(inbox_id) AS first, MAX(inbox_id) AS last FROM (
    SELECT inbox_id FROM journey_inbox ORDER BY inbox_id LIMIT :most
) AS chunk

-- name: events
SELECT i.inbox_id, i.event_no, e.name, i.customer_id, i.message, i.at, i.properties
FROM journey_inbox AS i JOIN journey_events AS e ON e.event_no = i.event_no
WHERE i.inbox_id BETWEEN :first AND :last ORDER BY i.at, i.inbox_id

-- name: clear
DELETE FROM journey_inbox WHERE inbox_id BETWEEN :first AND :last

-- name: matches
-- Only rows that wait for such an event, or that such an event takes out, are touched.
SELECT s.instance_id, s.journey_no, s.version, s.node_no, s.waits_for, s.wake_at, s.context,
       i.inbox_id, i.event_no, i.at
FROM journey_inbox AS i
JOIN journey_listens AS l ON l.event_no = i.event_no
JOIN journeys AS j ON j.journey_no = l.journey_no AND j.state IN ('running', 'paused')
JOIN journey_states AS s ON s.customer_id = i.customer_id AND s.journey_no = l.journey_no
WHERE i.inbox_id BETWEEN :first AND :last AND s.wake_at IS NOT NULL
  AND i.at > s.entered_at AND (i.at <= s.wake_at OR :is_late = 1)
  AND (s.waits_for = i.event_no OR (l.takes_out = 1 AND s.waits_for >= -1))
ORDER BY i.at, i.inbox_id, s.instance_id

-- name: signal
UPDATE journey_states SET waits_for = :signal, wake_at = :at, context = :context
WHERE instance_id = :instance_id AND waits_for = :waited AND wake_at = :until

-- name: entries
SELECT j.journey_no, j.version, MIN(v.published_at) AS begun_at
FROM journeys AS j JOIN journey_versions AS v ON v.journey_no = j.journey_no
WHERE j.state IN ('running', 'paused') AND v.published_at IS NOT NULL
GROUP BY j.journey_no, j.version ORDER BY j.journey_no

-- name: before
-- Numbers of stays have gaps where an event was told again: the next is one above the highest.
SELECT customer_id, MAX(times) AS times, MAX(entered_at) AS entered_at, MAX(left_at) AS left_at,
       SUM(CASE WHEN wake_at IS NULL THEN 0 ELSE 1 END) AS inside
FROM journey_states
WHERE journey_no = :journey_no AND customer_id IN (SELECT value FROM json_each(:customers))
GROUP BY customer_id

-- name: before [postgresql]
SELECT customer_id, MAX(times) AS times, MAX(entered_at) AS entered_at, MAX(left_at) AS left_at,
       SUM(CASE WHEN wake_at IS NULL THEN 0 ELSE 1 END) AS inside
FROM journey_states
WHERE journey_no = :journey_no
  AND customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
GROUP BY customer_id

-- name: add
-- One occurrence lets a customer in once, whoever tells of it and however often.
INSERT INTO journey_states
    (journey_no, customer_id, occurrence, times, assignment, version, node_no, visit, waits_for,
     entered_at, wake_at, left_at, context)
SELECT :journey_no, value ->> 0, value ->> 1, value ->> 2, value ->> 3, :version, value ->> 4, 0,
       value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9
FROM json_each(:rows) WHERE TRUE
ON CONFLICT (customer_id, journey_no, occurrence) DO NOTHING

-- name: add [postgresql]
INSERT INTO journey_states
    (journey_no, customer_id, occurrence, times, assignment, version, node_no, visit, waits_for,
     entered_at, wake_at, left_at, context)
SELECT CAST(:journey_no AS bigint), value ->> 0, value ->> 1, CAST(value ->> 2 AS bigint),
       CAST(value ->> 3 AS bigint), CAST(:version AS bigint), CAST(value ->> 4 AS bigint), 0,
       CAST(value ->> 5 AS bigint), CAST(value ->> 6 AS bigint), CAST(value ->> 7 AS bigint),
       CAST(value ->> 8 AS bigint), value ->> 9
FROM json_array_elements(CAST(:rows AS json)) AS given (value)
ON CONFLICT (customer_id, journey_no, occurrence) DO NOTHING
