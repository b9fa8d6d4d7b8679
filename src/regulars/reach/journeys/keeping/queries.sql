-- name: journey
SELECT * FROM journeys WHERE journey_id = :journey_id

-- name: journeys
SELECT * FROM journeys ORDER BY changed_at DESC, journey_id

-- name: ids
SELECT journey_id FROM journeys ORDER BY journey_id

-- name: next_number
SELECT COALESCE(MAX(journey_no), 0) + 1 AS number FROM journeys

-- name: add_journey
INSERT INTO journeys
    (journey_no, journey_id, state, version, reason, created_by, created_at, changed_at)
VALUES (:journey_no, :journey_id, 'draft', NULL, '', :actor, :at, :at)

-- name: versions
SELECT * FROM journey_versions WHERE journey_no = :journey_no ORDER BY version

-- name: add_version
INSERT INTO journey_versions
    (journey_no, version, definition, content_hash, moves, kept_by, kept_at)
VALUES (:journey_no, :version, :definition, :content_hash, '{}', :actor, :at)

-- name: set_state
UPDATE journeys SET state = :after, reason = :reason, changed_at = :at
WHERE journey_no = :journey_no AND state = :before

-- name: touch
UPDATE journeys SET changed_at = :at WHERE journey_no = :journey_no

-- name: inside
SELECT version, node_no, COUNT(*) AS customers, MIN(wake_at) AS next_at
FROM journey_states WHERE journey_no = :journey_no AND wake_at IS NOT NULL
GROUP BY version, node_no ORDER BY version, node_no

-- name: hold
UPDATE ledger SET state = 'deferred', reason = 'campaign_paused',
    hold_until = COALESCE(next_at, :at), next_at = NULL
WHERE run_id = :run_id
  AND (state = 'planned' OR (state = 'deferred' AND next_at IS NOT NULL))

-- name: release
UPDATE ledger
SET next_at = CASE WHEN hold_until > :at THEN hold_until ELSE :at END,
    hold_until = CASE WHEN hold_until > :at THEN hold_until ELSE :at END
WHERE run_id = :run_id AND state = 'deferred' AND reason = 'campaign_paused'

-- name: drop
UPDATE ledger SET state = 'skipped', reason = 'campaign_stopped', next_at = NULL, settled_at = :at
WHERE run_id = :run_id AND (state = 'planned' OR state = 'deferred')

-- name: drop_calls
UPDATE journey_acts SET state = 'failed', next_at = NULL
WHERE journey_id = :journey_id AND state = 'waiting'

-- name: nodes
SELECT node_no, name FROM journey_nodes WHERE journey_no = :journey_no
