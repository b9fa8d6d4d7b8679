-- name: bar_customer
-- Of two words on the same bar the newer stays, and the later end. What was lifted stays lifted
-- until something newer than what it rested on comes.
INSERT INTO suppressions (customer_id, channel, reason, since, until)
SELECT :subject, :channel, :reason, :since, :until
WHERE NOT EXISTS (
    SELECT 1 FROM suppression_changes AS h
    WHERE h.subject = :subject AND h.channel = :channel AND h.reason = :reason
      AND h.change IN ('lifted', 'answered') AND h.since >= :since
)
ON CONFLICT (customer_id, channel, reason) DO UPDATE SET
    since = CASE WHEN excluded.since > suppressions.since THEN excluded.since
                 ELSE suppressions.since END,
    until = CASE WHEN excluded.until IS NULL OR suppressions.until IS NULL THEN NULL
                 WHEN excluded.until > suppressions.until THEN excluded.until
                 ELSE suppressions.until END
WHERE excluded.since > suppressions.since
   OR (suppressions.until IS NOT NULL
       AND (excluded.until IS NULL OR excluded.until > suppressions.until))

-- name: bar_address
INSERT INTO suppressed_addresses (token, channel, reason, since, until)
SELECT :subject, :channel, :reason, :since, :until
WHERE NOT EXISTS (
    SELECT 1 FROM suppression_changes AS h
    WHERE h.subject = :subject AND h.channel = :channel AND h.reason = :reason
      AND h.change IN ('lifted', 'answered') AND h.since >= :since
)
ON CONFLICT (token, channel, reason) DO UPDATE SET
    since = CASE WHEN excluded.since > suppressed_addresses.since THEN excluded.since
                 ELSE suppressed_addresses.since END,
    until = CASE WHEN excluded.until IS NULL OR suppressed_addresses.until IS NULL THEN NULL
                 WHEN excluded.until > suppressed_addresses.until THEN excluded.until
                 ELSE suppressed_addresses.until END
WHERE excluded.since > suppressed_addresses.since
   OR (suppressed_addresses.until IS NOT NULL
       AND (excluded.until IS NULL OR excluded.until > suppressed_addresses.until))

-- name: keep_change
INSERT INTO suppression_changes
    (subject, channel, reason, change, since, until, note, actor, noted_at)
VALUES (:subject, :channel, :reason, :change, :since, :until, :note, :actor, :noted_at)

-- name: barred_among
SELECT asked.value AS subject FROM json_each(:subjects) AS asked
WHERE EXISTS (SELECT 1 FROM suppressions AS s WHERE s.customer_id = asked.value)
   OR EXISTS (SELECT 1 FROM suppressed_addresses AS a WHERE a.token = asked.value)
ORDER BY asked.value

-- name: bars_of
SELECT customer_id AS subject, channel, reason, since, until FROM suppressions
WHERE customer_id = :subject
UNION ALL
SELECT token AS subject, channel, reason, since, until FROM suppressed_addresses
WHERE token = :subject
ORDER BY channel, reason

-- name: lift_customer
DELETE FROM suppressions
WHERE customer_id = :subject AND channel = :channel AND reason = :reason

-- name: lift_address
DELETE FROM suppressed_addresses
WHERE token = :subject AND channel = :channel AND reason = :reason

-- name: ended
SELECT customer_id AS subject, channel, reason, since, until FROM suppressions
WHERE until <= :now
UNION ALL
SELECT token AS subject, channel, reason, since, until FROM suppressed_addresses
WHERE until <= :now
ORDER BY subject, channel, reason

-- name: address_bars
SELECT token FROM suppressed_addresses
WHERE token = :token AND channel IN (:channel, '*') AND (until IS NULL OR until > :now)

-- name: customer_of
SELECT customer_id FROM identifiers WHERE node = :node AND is_shared = 0

-- name: answered
-- A customer who opted out of a channel and later granted that very channel is back.
SELECT s.customer_id AS subject, s.channel, s.reason, s.since, s.until
FROM suppressions AS s
JOIN consents AS c ON c.customer_id = s.customer_id AND c.channel = s.channel
WHERE s.reason = 'opted_out' AND c.purpose = 'marketing' AND c.status = 'granted'
  AND c.recorded_at > s.since
ORDER BY s.customer_id, s.channel

-- name: answered_by
SELECT s.customer_id AS subject, s.channel, s.reason, s.since, s.until
FROM suppressions AS s
JOIN consents AS c ON c.customer_id = s.customer_id AND c.channel = s.channel
WHERE s.customer_id = :customer_id
  AND s.reason = 'opted_out' AND c.purpose = 'marketing' AND c.status = 'granted'
  AND c.recorded_at > s.since
ORDER BY s.channel

-- name: changes_of
SELECT number, subject, channel, reason, change, since, until, note, actor, noted_at
FROM suppression_changes WHERE subject = :subject ORDER BY number DESC
