-- name: standing
-- What is the same for everybody: the stop, and which notice consent must rest on by now.
SELECT 'stop' AS kind, value AS name, '' AS value FROM watermarks WHERE name = 'emergency_stop'
UNION ALL
SELECT 'notice', version, effective_from FROM notices
UNION ALL
SELECT 'floor', version, effective_from FROM notice_floors
WHERE purpose = 'marketing' AND effective_from <= :now

-- name: known
-- What is known of customers, each part as one JSON text: a round trip for all of them.
SELECT
    (SELECT json_group_array(json_array(
                c.purpose, c.channel, '', c.status, c.recorded_at, c.notice_version,
                c.customer_id))
     FROM json_each(:customers) AS asked
     CROSS JOIN consents AS c ON c.customer_id = asked.value
     WHERE c.purpose IN ('marketing', 'profiling', 'minors_guardian')) AS words,
    (SELECT json_group_array(json_array(
                c.purpose, c.channel, c.topic, c.status, c.recorded_at, c.notice_version,
                c.customer_id))
     FROM json_each(:customers) AS asked
     CROSS JOIN consent_topics AS c ON c.customer_id = asked.value
     WHERE c.purpose = 'marketing') AS topics,
    (SELECT json_group_array(json_array(s.channel, s.reason, s.until, s.customer_id))
     FROM json_each(:customers) AS asked
     CROSS JOIN suppressions AS s ON s.customer_id = asked.value) AS bars,
    (SELECT json_group_array(json_array(f.zone, f.born_on, f.has_guardian_consent, f.customer_id))
     FROM json_each(:customers) AS asked
     CROSS JOIN contact_facts AS f ON f.customer_id = asked.value) AS facts

-- name: known [postgresql]
WITH asked AS MATERIALIZED (
    SELECT json_array_elements_text(CAST(:customers AS json)) AS customer_id
)
SELECT
    (SELECT CAST(COALESCE(json_agg(json_build_array(
                c.purpose, c.channel, '', c.status, c.recorded_at, c.notice_version,
                c.customer_id)), '[]') AS text)
     FROM consents AS c
     WHERE c.customer_id IN (SELECT customer_id FROM asked)
       AND c.purpose IN ('marketing', 'profiling', 'minors_guardian')) AS words,
    (SELECT CAST(COALESCE(json_agg(json_build_array(
                c.purpose, c.channel, c.topic, c.status, c.recorded_at, c.notice_version,
                c.customer_id)), '[]') AS text)
     FROM consent_topics AS c
     WHERE c.customer_id IN (SELECT customer_id FROM asked)
       AND c.purpose = 'marketing') AS topics,
    (SELECT CAST(COALESCE(json_agg(json_build_array(
                s.channel, s.reason, s.until, s.customer_id)), '[]') AS text)
     FROM suppressions AS s
     WHERE s.customer_id IN (SELECT customer_id FROM asked)) AS bars,
    (SELECT CAST(COALESCE(json_agg(json_build_array(
                f.zone, f.born_on, f.has_guardian_consent, f.customer_id)), '[]') AS text)
     FROM contact_facts AS f
     WHERE f.customer_id IN (SELECT customer_id FROM asked)) AS facts
