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

-- name: adopt_topic
INSERT INTO consent_topics
    (customer_id, purpose, channel, topic, status, recorded_at, notice_version, evidence)
VALUES
    (:customer_id, :purpose, :channel, :topic, :status, :recorded_at, :notice_version, :evidence)
ON CONFLICT (customer_id, purpose, channel, topic) DO UPDATE SET
    status = excluded.status,
    recorded_at = excluded.recorded_at,
    notice_version = excluded.notice_version,
    evidence = excluded.evidence
WHERE excluded.recorded_at > consent_topics.recorded_at
   OR (excluded.recorded_at = consent_topics.recorded_at
       AND CASE excluded.status WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END
         > CASE consent_topics.status WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END)

-- name: keep_change
-- The same word said twice is one row; rows are never changed nor taken away.
INSERT INTO consent_changes
    (word_id, customer_id, purpose, channel, topic, status, recorded_at, notice_version, source,
     evidence, evidence_hash, actor, locale, noted_at)
VALUES
    (:word_id, :customer_id, :purpose, :channel, :topic, :status, :recorded_at, :notice_version,
     :source, :evidence, :evidence_hash, :actor, :locale, :noted_at)
ON CONFLICT (word_id) DO NOTHING

-- name: in_force
-- A grant is stale once a notice that asks again took effect later than the notice it rests on.
SELECT c.purpose, c.channel, '*' AS topic, c.status, c.recorded_at, c.notice_version,
       CASE WHEN c.status = 'granted' AND EXISTS (
           SELECT 1 FROM notice_floors AS f
           WHERE f.purpose = c.purpose AND f.effective_from <= :now AND NOT EXISTS (
               SELECT 1 FROM notices AS n
               WHERE n.version = c.notice_version AND n.effective_from >= f.effective_from)
       ) THEN 1 ELSE 0 END AS is_stale
FROM consents AS c WHERE c.customer_id = :customer_id
UNION ALL
SELECT t.purpose, t.channel, t.topic, t.status, t.recorded_at, t.notice_version, 0 AS is_stale
FROM consent_topics AS t WHERE t.customer_id = :customer_id
ORDER BY 1, 2, 3

-- name: changes_of
SELECT number, word_id, customer_id, purpose, channel, topic, status, recorded_at, notice_version,
       source, evidence, evidence_hash, actor, locale, noted_at
FROM consent_changes WHERE customer_id = :customer_id ORDER BY number DESC

-- name: said_by
SELECT purpose, channel, '*' AS topic, status, recorded_at, notice_version, evidence
FROM consents WHERE customer_id = :customer_id
UNION ALL
SELECT purpose, channel, topic, status, recorded_at, notice_version, evidence
FROM consent_topics WHERE customer_id = :customer_id
ORDER BY 1, 2, 3

-- name: spoken_for
SELECT asked.value AS customer_id FROM json_each(:customers) AS asked
WHERE EXISTS (SELECT 1 FROM consents AS c WHERE c.customer_id = asked.value)
   OR EXISTS (SELECT 1 FROM consent_topics AS t WHERE t.customer_id = asked.value)
ORDER BY asked.value

-- name: present_id
SELECT customer_id FROM identifiers WHERE node = :customer_id

-- name: channel_of
SELECT channel FROM ledger WHERE key = :contact_key

-- name: words
SELECT customer_id, channel, status, recorded_at FROM consents WHERE purpose = :purpose

-- name: words_among
SELECT customer_id, channel, status, recorded_at FROM consents
WHERE purpose = :purpose AND customer_id IN (SELECT value FROM json_each(:customers))

-- name: words_among [postgresql]
SELECT customer_id, channel, status, recorded_at FROM consents
WHERE purpose = :purpose
  AND customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: adopted
SELECT value FROM watermarks WHERE name = :name

-- name: set_adopted
INSERT INTO watermarks (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: said_last
-- Whose newest word about a purpose, on a channel or on all, is this one.
SELECT c.customer_id FROM consents AS c
WHERE c.purpose = :purpose AND c.channel IN (:channel, '*') AND c.status = :status
  AND NOT EXISTS (
    SELECT 1 FROM consents AS o
    WHERE o.customer_id = c.customer_id AND o.purpose = c.purpose AND o.channel IN (:channel, '*')
      AND (o.recorded_at > c.recorded_at
           OR (o.recorded_at = c.recorded_at
               AND CASE o.status WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END
                 > CASE c.status WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END)))

-- name: said_anything
SELECT DISTINCT customer_id FROM consents WHERE purpose = :purpose AND channel IN (:channel, '*')

-- name: changed_since
SELECT number, customer_id FROM consent_changes WHERE number > :number ORDER BY number

-- name: changes_so_far
SELECT COALESCE(MAX(number), 0) AS number FROM consent_changes
