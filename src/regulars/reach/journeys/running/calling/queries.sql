-- name: hers
SELECT i.inbox_id, i.event_no, e.name, i.customer_id, i.message, i.at, i.properties
FROM journey_inbox AS i JOIN journey_events AS e ON e.event_no = i.event_no
WHERE i.at <= :until AND i.customer_id IN (SELECT value FROM json_each(:customers))
ORDER BY i.at, i.inbox_id

-- name: hers [postgresql]
SELECT i.inbox_id, i.event_no, e.name, i.customer_id, i.message, i.at, i.properties
FROM journey_inbox AS i JOIN journey_events AS e ON e.event_no = i.event_no
WHERE i.at <= :until
  AND i.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
ORDER BY i.at, i.inbox_id

-- name: matches
-- Only rows that wait for such an event, or that such an event takes out, are touched.
SELECT s.instance_id, s.journey_no, s.version, s.node_no, s.waits_for, s.wake_at, s.context,
       i.inbox_id, i.event_no, i.at
FROM journey_inbox AS i
JOIN journey_listens AS l ON l.event_no = i.event_no
JOIN journeys AS j ON j.journey_no = l.journey_no AND j.state IN ('running', 'paused')
JOIN journey_states AS s ON s.customer_id = i.customer_id AND s.journey_no = l.journey_no
WHERE i.inbox_id IN (SELECT value FROM json_each(:numbers)) AND s.wake_at IS NOT NULL
  AND i.at > s.entered_at AND (i.at <= s.wake_at OR :is_late = 1)
  AND (s.waits_for = i.event_no OR (l.takes_out = 1 AND s.waits_for >= -1))
ORDER BY i.at, i.inbox_id, s.instance_id

-- name: matches [postgresql]
SELECT s.instance_id, s.journey_no, s.version, s.node_no, s.waits_for, s.wake_at, s.context,
       i.inbox_id, i.event_no, i.at
FROM journey_inbox AS i
JOIN journey_listens AS l ON l.event_no = i.event_no
JOIN journeys AS j ON j.journey_no = l.journey_no AND j.state IN ('running', 'paused')
JOIN journey_states AS s ON s.customer_id = i.customer_id AND s.journey_no = l.journey_no
WHERE i.inbox_id IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:numbers AS json)))
  AND s.wake_at IS NOT NULL
  AND i.at > s.entered_at AND (i.at <= s.wake_at OR :is_late = 1)
  AND (s.waits_for = i.event_no OR (l.takes_out = 1 AND s.waits_for >= -1))
ORDER BY i.at, i.inbox_id, s.instance_id

-- name: signal
UPDATE journey_states SET waits_for = :signal, wake_at = :at, context = :context
WHERE instance_id = :instance_id AND waits_for = :waited AND wake_at = :until
