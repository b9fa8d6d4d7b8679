-- name: request
-- An event that was replayed already, waits for it or was dismissed is left as it is.
INSERT INTO replays (refused_id, log_partition, status, raw, at, actor)
VALUES (:refused_id, :log_partition, 'requested', :raw, :at, :actor)
ON CONFLICT (refused_id) DO UPDATE SET
    log_partition = excluded.log_partition, status = 'requested',
    raw = COALESCE(excluded.raw, replays.raw), at = excluded.at, actor = excluded.actor
WHERE replays.status = 'open'

-- name: dismiss
INSERT INTO replays (refused_id, log_partition, status, at, actor)
VALUES (:refused_id, :log_partition, 'dismissed', :at, :actor)
ON CONFLICT (refused_id) DO UPDATE SET
    status = 'dismissed', at = excluded.at, actor = excluded.actor
WHERE replays.status = 'open'

-- name: reopen
UPDATE replays SET status = 'open', at = :at, actor = :actor
WHERE refused_id = :refused_id AND status = 'dismissed'

-- name: waiting
SELECT refused_id, raw FROM replays
WHERE status = 'requested' AND log_partition = :log_partition ORDER BY refused_id LIMIT :most

-- name: waiting_in_all
SELECT COUNT(*) AS events FROM replays WHERE status = 'requested'

-- name: all
SELECT refused_id, status, raw, reason, path, detail FROM replays ORDER BY refused_id
