-- name: ours
-- Contacts behind names of the provider, found by its index; tasks made by hand have none.
SELECT l.provider_id, COALESCE(c.state, j.state, '') AS campaign_state,
       CASE WHEN COALESCE(u.cancelled, '') = '' THEN 0 ELSE 1 END AS is_cancelled,
       CASE WHEN r.receipt_id IS NULL THEN 0 ELSE 1 END AS is_taken_back
FROM ledger AS l LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
LEFT JOIN journeys AS j ON l.run_id LIKE 'journey/%' AND j.journey_id = SUBSTR(l.run_id, 9)
LEFT JOIN runs AS u ON u.run_id = l.run_id AND u.step = l.step
LEFT JOIN receipt_inbox AS r
  ON r.provider = l.channel AND r.receipt_id = l.provider_id || :taken_back
WHERE l.provider_id IN (SELECT value FROM json_each(:names)) AND l.provider_id <> ''
  AND l.channel = :channel

-- name: ours [postgresql]
SELECT l.provider_id, COALESCE(c.state, j.state, '') AS campaign_state,
       CASE WHEN COALESCE(u.cancelled, '') = '' THEN 0 ELSE 1 END AS is_cancelled,
       CASE WHEN r.receipt_id IS NULL THEN 0 ELSE 1 END AS is_taken_back
FROM ledger AS l LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
LEFT JOIN journeys AS j ON l.run_id LIKE 'journey/%' AND j.journey_id = SUBSTR(l.run_id, 9)
LEFT JOIN runs AS u ON u.run_id = l.run_id AND u.step = l.step
LEFT JOIN receipt_inbox AS r
  ON r.provider = l.channel AND r.receipt_id = l.provider_id || :taken_back
WHERE l.provider_id IN (SELECT json_array_elements_text(CAST(:names AS json)))
  AND l.provider_id <> '' AND l.channel = :channel

-- name: looked_at
SELECT value FROM watermarks WHERE name = :name

-- name: set_looked_at
INSERT INTO watermarks (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
