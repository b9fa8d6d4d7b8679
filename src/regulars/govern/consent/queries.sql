-- name: adopt_consent
-- A word is kept only when it is newer, or a refusal at the same moment: files may come in
-- any order, and twice.
INSERT INTO consents (customer_id, purpose, channel, status, recorded_at, notice_version, evidence)
VALUES (:customer_id, :purpose, :channel, :status, :recorded_at, :notice_version, :evidence)
ON CONFLICT (customer_id, purpose, channel) DO UPDATE SET
    status = excluded.status,
    recorded_at = excluded.recorded_at,
    notice_version = excluded.notice_version,
    evidence = excluded.evidence
WHERE excluded.recorded_at > consents.recorded_at
   OR (excluded.recorded_at = consents.recorded_at
       AND CASE excluded.status WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END
         > CASE consents.status WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END)

-- name: suppress
-- The channel is the one the contact took. A complaint closes every channel, and so does a
-- receipt whose contact the ledger does not know.
INSERT INTO suppressions (customer_id, channel, reason, since)
VALUES (
    :customer_id,
    CASE WHEN :reason = 'complained' THEN '*'
         ELSE COALESCE((SELECT channel FROM ledger WHERE key = :contact_key), '*') END,
    :reason,
    :since
)
ON CONFLICT (customer_id, channel) DO UPDATE SET reason = excluded.reason, since = excluded.since
WHERE excluded.since > suppressions.since
   OR (excluded.since = suppressions.since AND excluded.reason > suppressions.reason)

-- name: lift_answered
-- A customer who opted out of a channel and later granted that very channel is back.
DELETE FROM suppressions
WHERE reason = 'opted_out'
  AND EXISTS (
      SELECT 1 FROM consents AS c
      WHERE c.customer_id = suppressions.customer_id
        AND c.purpose = 'marketing'
        AND c.channel = suppressions.channel
        AND c.status = 'granted'
        AND c.recorded_at > suppressions.since
  )

-- name: words
SELECT customer_id, channel, status, recorded_at FROM consents WHERE purpose = :purpose

-- name: adopted
SELECT value FROM watermarks WHERE name = :name

-- name: set_adopted
INSERT INTO watermarks (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
