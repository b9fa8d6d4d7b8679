-- name: last_version
SELECT version, digest, plan, adopted_at, actor FROM plan_versions ORDER BY version DESC LIMIT 1

-- name: versions
SELECT version, digest, plan, adopted_at, actor FROM plan_versions ORDER BY version

-- name: newest
SELECT coalesce(max(version), 0) AS version FROM plan_versions

-- name: keep_version
INSERT INTO plan_versions (version, digest, plan, adopted_at, actor)
VALUES (:version, :digest, :plan, :adopted_at, :actor)

-- name: position
SELECT sequence FROM quality_positions WHERE log_partition = :log_partition

-- name: move
INSERT INTO quality_positions (log_partition, sequence) VALUES (:log_partition, :sequence)
ON CONFLICT (log_partition) DO UPDATE SET sequence = excluded.sequence

-- name: labels
SELECT source, label FROM observed_events

-- name: events
SELECT source, label, seen, checked, breaching, identified, wanted, filled, first_at, last_at, overflow
FROM observed_events ORDER BY source, label

-- name: event
SELECT source, label, seen, checked, breaching, identified, wanted, filled, first_at, last_at, overflow
FROM observed_events WHERE source = :source AND label = :label

-- name: properties
SELECT source, label, path, seen, first_kind, first_at, codes, example
FROM observed_properties ORDER BY source, label, path

-- name: properties_of
SELECT source, label, path, seen, first_kind, first_at, codes, example
FROM observed_properties WHERE source = :source AND label = :label ORDER BY path

-- name: types
SELECT source, label, path, kind, seen FROM property_types ORDER BY source, label, path, kind

-- name: types_of
SELECT source, label, path, kind, seen FROM property_types
WHERE source = :source AND label = :label ORDER BY path, kind

-- name: put_event
INSERT INTO observed_events
(source, label, seen, checked, breaching, identified, wanted, filled, first_at, last_at, overflow)
VALUES (:source, :label, :seen, :checked, :breaching, :identified, :wanted, :filled, :first_at,
  :last_at, :overflow)
ON CONFLICT (source, label) DO UPDATE SET seen = excluded.seen, checked = excluded.checked,
  breaching = excluded.breaching, identified = excluded.identified, wanted = excluded.wanted,
  filled = excluded.filled, first_at = excluded.first_at, last_at = excluded.last_at,
  overflow = excluded.overflow

-- name: put_property
INSERT INTO observed_properties (source, label, path, seen, first_kind, first_at, codes, example)
VALUES (:source, :label, :path, :seen, :first_kind, :first_at, :codes, :example)
ON CONFLICT (source, label, path) DO UPDATE SET seen = excluded.seen,
  first_kind = excluded.first_kind, first_at = excluded.first_at, codes = excluded.codes,
  example = excluded.example

-- name: put_type
INSERT INTO property_types (source, label, path, kind, seen)
VALUES (:source, :label, :path, :kind, :seen)
ON CONFLICT (source, label, path, kind) DO UPDATE SET seen = excluded.seen

-- name: violation_counts
SELECT source, label, path, rule, seen, kept, last_at FROM plan_violation_counts
ORDER BY seen DESC, source, label, path, rule

-- name: kept
SELECT kept FROM plan_violation_counts
WHERE source = :source AND label = :label AND path = :path AND rule = :rule

-- name: count_violations
INSERT INTO plan_violation_counts (source, label, path, rule, seen, kept, last_at)
VALUES (:source, :label, :path, :rule, :seen, :kept, :last_at)
ON CONFLICT (source, label, path, rule) DO UPDATE SET seen = plan_violation_counts.seen + excluded.seen,
  kept = plan_violation_counts.kept + excluded.kept,
  last_at = CASE WHEN plan_violation_counts.last_at > excluded.last_at
    THEN plan_violation_counts.last_at ELSE excluded.last_at END

-- name: keep_violation
INSERT INTO plan_violations
(source, message_id, path, rule, label, wanted, found, sample, received_at)
VALUES (:source, :message_id, :path, :rule, :label, :wanted, :found, :sample, :received_at)
ON CONFLICT (source, message_id, path, rule) DO NOTHING

-- name: violations
SELECT source, message_id, path, rule, label, wanted, found, sample, received_at
FROM plan_violations WHERE (:source = '' OR source = :source) AND (:label = '' OR label = :label)
ORDER BY received_at DESC, source, message_id, path, rule LIMIT :most
