-- name: standing
-- What is the same for everybody: the stop, and which notice consent must rest on by now.
SELECT 'stop' AS kind, value AS name, '' AS value FROM watermarks WHERE name = 'emergency_stop'
UNION ALL
SELECT 'notice', version, effective_from FROM notices
UNION ALL
SELECT 'floor', version, effective_from FROM notice_floors
WHERE purpose = 'marketing' AND effective_from <= :now

-- name: words
SELECT json_group_array(json_array(
           c.purpose, c.channel, '', c.status, c.recorded_at, c.notice_version, c.customer_id))
       AS found
FROM json_each(:customers) AS asked
CROSS JOIN consents AS c ON c.customer_id = asked.value
WHERE c.purpose IN ('marketing', 'profiling', 'minors_guardian')

-- name: words [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           c.purpose, c.channel, '', c.status, c.recorded_at, c.notice_version, c.customer_id)),
       '[]') AS text) AS found
FROM consents AS c
WHERE c.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
  AND c.purpose IN ('marketing', 'profiling', 'minors_guardian')

-- name: topics
SELECT json_group_array(json_array(
           c.purpose, c.channel, c.topic, c.status, c.recorded_at, c.notice_version,
           c.customer_id)) AS found
FROM json_each(:customers) AS asked
CROSS JOIN consent_topics AS c ON c.customer_id = asked.value
WHERE c.purpose = 'marketing'

-- name: topics [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           c.purpose, c.channel, c.topic, c.status, c.recorded_at, c.notice_version,
           c.customer_id)), '[]') AS text) AS found
FROM consent_topics AS c
WHERE c.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
  AND c.purpose = 'marketing'

-- name: bars
SELECT json_group_array(json_array(s.channel, s.reason, s.until, s.customer_id)) AS found
FROM json_each(:customers) AS asked
CROSS JOIN suppressions AS s ON s.customer_id = asked.value

-- name: bars [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(s.channel, s.reason, s.until, s.customer_id)), '[]')
       AS text) AS found
FROM suppressions AS s
WHERE s.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: facts
SELECT json_group_array(json_array(f.zone, f.born_on, f.has_guardian_consent, f.customer_id))
       AS found
FROM json_each(:customers) AS asked
CROSS JOIN contact_facts AS f ON f.customer_id = asked.value

-- name: facts [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           f.zone, f.born_on, f.has_guardian_consent, f.customer_id)), '[]') AS text) AS found
FROM contact_facts AS f
WHERE f.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
