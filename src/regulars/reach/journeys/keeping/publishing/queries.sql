-- name: published
UPDATE journey_versions SET published_by = :actor, published_at = :at, moves = :moves
WHERE journey_no = :journey_no AND version = :version

-- name: become
UPDATE journeys SET version = :version, state = :state, reason = :reason, changed_at = :at
WHERE journey_no = :journey_no

-- name: note_moved
INSERT INTO journey_steps (instance_id, visit, version, node_no, edge, at)
SELECT instance_id, visit, version, node_no, :edge, :at FROM journey_states
WHERE journey_no = :journey_no AND version = :version AND node_no = :node_no
  AND wake_at IS NOT NULL

-- name: note_moved [postgresql]
INSERT INTO journey_steps (instance_id, visit, version, node_no, edge, at)
SELECT instance_id, visit, version, node_no, CAST(:edge AS bigint), CAST(:at AS bigint)
FROM journey_states
WHERE journey_no = :journey_no AND version = :version AND node_no = :node_no
  AND wake_at IS NOT NULL

-- name: move_to
-- Whoever is moved arrives anew: the next look lets her go on from there.
UPDATE journey_states
SET version = :after, node_no = :target, visit = visit + 1, waits_for = -1, wake_at = :at
WHERE journey_no = :journey_no AND version = :version AND node_no = :node_no
  AND wake_at IS NOT NULL

-- name: take_out
UPDATE journey_states
SET visit = visit + 1, waits_for = 0, wake_at = NULL, left_at = :at
WHERE journey_no = :journey_no AND version = :version AND node_no = :node_no
  AND wake_at IS NOT NULL

-- name: go_by
UPDATE journey_states SET version = :after
WHERE journey_no = :journey_no AND version = :version AND wake_at IS NOT NULL
  AND node_no IN (SELECT value FROM json_each(:nodes))

-- name: go_by [postgresql]
UPDATE journey_states SET version = :after
WHERE journey_no = :journey_no AND version = :version AND wake_at IS NOT NULL
  AND node_no IN (SELECT CAST(json_array_elements_text(CAST(:nodes AS json)) AS bigint))

-- name: wait_otherwise
-- A wait that is longer now is longer for those inside too, counted from when they came; what
-- has happened to them already stays.
UPDATE journey_states SET version = :after,
    wake_at = CASE WHEN waits_for >= 0 THEN wake_at + :shift ELSE wake_at END,
    waits_for = CASE WHEN waits_for >= 0 THEN :event_no ELSE waits_for END
WHERE journey_no = :journey_no AND version = :version AND node_no = :node_no
  AND wake_at IS NOT NULL

-- name: wait_otherwise [postgresql]
UPDATE journey_states SET version = :after,
    wake_at = CASE WHEN waits_for >= 0 THEN wake_at + CAST(:shift AS bigint) ELSE wake_at END,
    waits_for = CASE WHEN waits_for >= 0 THEN CAST(:event_no AS bigint) ELSE waits_for END
WHERE journey_no = :journey_no AND version = :version AND node_no = :node_no
  AND wake_at IS NOT NULL

-- name: undecided
SELECT node_no, COUNT(*) AS customers FROM journey_states
WHERE journey_no = :journey_no AND version = :version AND wake_at IS NOT NULL
  AND (context -> 'decided') IS NULL
GROUP BY node_no ORDER BY node_no

-- name: undecided [postgresql]
SELECT node_no, COUNT(*) AS customers FROM journey_states
WHERE journey_no = :journey_no AND version = :version AND wake_at IS NOT NULL
  AND (CAST(context AS json) -> 'decided') IS NULL
GROUP BY node_no ORDER BY node_no
