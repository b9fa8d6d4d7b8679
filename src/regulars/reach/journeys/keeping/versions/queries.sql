-- name: definition
SELECT definition FROM journey_versions WHERE journey_no = :journey_no AND version = :version

-- name: nodes
SELECT node_no, name FROM journey_nodes WHERE journey_no = :journey_no ORDER BY node_no

-- name: add_node
INSERT INTO journey_nodes (journey_no, node_no, name) VALUES (:journey_no, :node_no, :name)

-- name: events
SELECT event_no, name FROM journey_events WHERE name IN (SELECT value FROM json_each(:names))

-- name: events [postgresql]
SELECT event_no, name FROM journey_events
WHERE name IN (SELECT json_array_elements_text(CAST(:names AS json)))

-- name: next_event
SELECT COALESCE(MAX(event_no), 0) + 1 AS number FROM journey_events

-- name: add_event
INSERT INTO journey_events (event_no, name) VALUES (:event_no, :name)

-- name: drop_listens
DELETE FROM journey_listens WHERE journey_no = :journey_no

-- name: add_listen
INSERT INTO journey_listens (event_no, journey_no, takes_out)
VALUES (:event_no, :journey_no, :takes_out)

-- name: inside_versions
SELECT DISTINCT version FROM journey_states
WHERE journey_no = :journey_no AND wake_at IS NOT NULL
