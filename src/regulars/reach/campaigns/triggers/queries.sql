-- name: known
SELECT trigger_id, step FROM campaign_triggers
WHERE campaign_id = :campaign_id AND trigger_id = :trigger_id

-- name: occurrences
SELECT COUNT(*) AS times FROM campaign_triggers
WHERE campaign_id = :campaign_id AND customer_id = :customer_id

-- name: add
INSERT INTO campaign_triggers
    (campaign_id, trigger_id, run_id, step, contact_key, customer_id, properties, at)
VALUES
    (:campaign_id, :trigger_id, :run_id, :step, :contact_key, :customer_id, :properties, :at)

-- name: left
SELECT t.trigger_id, t.customer_id, t.step FROM campaign_triggers AS t
LEFT JOIN ledger AS l ON l.key = t.contact_key
WHERE t.campaign_id = :campaign_id AND l.key IS NULL

-- name: properties
SELECT contact_key, properties FROM campaign_triggers
WHERE contact_key IN (SELECT value FROM json_each(:keys))

-- name: properties [postgresql]
SELECT contact_key, properties FROM campaign_triggers
WHERE contact_key IN (SELECT json_array_elements_text(CAST(:keys AS json)))
