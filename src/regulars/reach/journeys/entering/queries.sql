-- name: earliest
SELECT inbox_id, at FROM journey_inbox
WHERE at <= :now AND at >= :at AND (at > :at OR inbox_id > :number)
ORDER BY at, inbox_id LIMIT :most

-- name: events
SELECT i.inbox_id, i.event_no, e.name, i.customer_id, i.message, i.at, i.properties
FROM journey_inbox AS i JOIN journey_events AS e ON e.event_no = i.event_no
WHERE i.inbox_id IN (SELECT value FROM json_each(:numbers)) ORDER BY i.at, i.inbox_id

-- name: events [postgresql]
SELECT i.inbox_id, i.event_no, e.name, i.customer_id, i.message, i.at, i.properties
FROM journey_inbox AS i JOIN journey_events AS e ON e.event_no = i.event_no
WHERE i.inbox_id IN (
    SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:numbers AS json)))
ORDER BY i.at, i.inbox_id

-- name: clear
DELETE FROM journey_inbox WHERE inbox_id IN (SELECT value FROM json_each(:numbers))
  AND event_no NOT IN (
    SELECT event_no FROM journey_listens
    WHERE journey_no IN (SELECT value FROM json_each(:kept_back)))

-- name: clear [postgresql]
DELETE FROM journey_inbox WHERE inbox_id IN (
    SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:numbers AS json)))
  AND event_no NOT IN (
    SELECT event_no FROM journey_listens WHERE journey_no IN (
        SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:kept_back AS json))))

-- name: due
SELECT 1 AS one FROM journey_states
WHERE journey_no = :journey_no AND wake_at <= :until LIMIT 1

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
