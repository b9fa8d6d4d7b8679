-- name: listened
SELECT DISTINCT e.event_no, e.name FROM journey_events AS e
JOIN journey_listens AS l ON l.event_no = e.event_no
JOIN journeys AS j ON j.journey_no = l.journey_no
WHERE j.state IN ('running', 'paused')

-- name: hand_in
INSERT INTO journey_inbox (event_no, customer_id, message, at, properties)
VALUES (:event_no, :customer_id, :message, :at, :properties)

-- name: position
SELECT sequence FROM journey_positions WHERE log_partition = :log_partition

-- name: move
INSERT INTO journey_positions (log_partition, sequence) VALUES (:log_partition, :sequence)
ON CONFLICT (log_partition) DO UPDATE SET sequence = excluded.sequence
