-- name: position
SELECT log_sequence FROM drain_positions WHERE log_partition = :log_partition

-- name: move
INSERT INTO drain_positions (log_partition, log_sequence) VALUES (:log_partition, :log_sequence)
ON CONFLICT (log_partition) DO UPDATE SET log_sequence = excluded.log_sequence

-- name: add
INSERT INTO event_totals (source, received, stored, duplicate, quarantined, suppressed)
VALUES (:source, :received, :stored, :duplicate, :quarantined, :suppressed)
ON CONFLICT (source) DO UPDATE SET
    received = event_totals.received + excluded.received,
    stored = event_totals.stored + excluded.stored,
    duplicate = event_totals.duplicate + excluded.duplicate,
    quarantined = event_totals.quarantined + excluded.quarantined,
    suppressed = event_totals.suppressed + excluded.suppressed

-- name: open_ends
-- Sources whose fates do not add up to what was received; there are none.
SELECT source FROM event_totals
WHERE received <> stored + duplicate + quarantined + suppressed ORDER BY source

-- name: totals
SELECT source, received, stored, duplicate, quarantined, suppressed FROM event_totals
ORDER BY source

-- name: settle_replay
UPDATE replays SET status = :status, reason = :reason, path = :path, detail = :detail
WHERE refused_id = :refused_id AND status = 'requested'
