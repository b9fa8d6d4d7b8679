-- name: audiences
SELECT step, audience, cancelled FROM runs WHERE run_id = :run_id ORDER BY step

-- name: fates
SELECT state, reason, COUNT(*) AS customers FROM ledger
WHERE run_id = :run_id GROUP BY state, reason ORDER BY state, reason

-- name: fates_of_step
SELECT state, reason, COUNT(*) AS customers FROM ledger
WHERE run_id = :run_id AND step = :step GROUP BY state, reason ORDER BY state, reason

-- name: contacts
-- Money is spent on what went out, and may have been spent on what nobody confirmed.
SELECT key, customer_id, campaign_id, offer_id, channel, state AS fate, reason,
       CASE WHEN state IN ('sent', 'unknown') THEN cost_cents ELSE 0 END AS cost_cents,
       CASE WHEN state IN ('sent', 'unknown') THEN at END AS at
FROM ledger WHERE run_id = :run_id ORDER BY customer_id

-- name: cost_of_campaign
SELECT COALESCE(SUM(l.cost_cents), 0) AS cost_cents
FROM runs r JOIN ledger l ON l.run_id = r.run_id AND l.step = r.step
WHERE r.campaign_id = :campaign_id AND l.state IN ('sent', 'unknown')

-- name: of_fate
SELECT key, customer_id, campaign_id, offer_id, channel, at, reason FROM ledger
WHERE run_id = :run_id AND state = :fate ORDER BY key

-- name: unknown
SELECT run_id, step, COALESCE(campaign_id, '') AS campaign_id, COALESCE(channel, '') AS channel,
       message_class, topic, key, state AS fate, reason, attempts, planned_at, at, settled_at,
       hold_until, provider_id, COALESCE(offer_id, '') AS offer_id, customer_id
FROM ledger WHERE state = 'unknown' ORDER BY channel, at, key

-- name: of_customer
SELECT run_id, step, COALESCE(campaign_id, '') AS campaign_id, COALESCE(channel, '') AS channel,
       message_class, topic, key, state AS fate, reason, attempts, planned_at, at, settled_at,
       hold_until, provider_id, COALESCE(offer_id, '') AS offer_id
FROM ledger WHERE customer_id IN (SELECT value FROM json_each(:customers))
ORDER BY COALESCE(at, planned_at) DESC, key LIMIT :most

-- name: of_customer [postgresql]
SELECT run_id, step, COALESCE(campaign_id, '') AS campaign_id, COALESCE(channel, '') AS channel,
       message_class, topic, key, state AS fate, reason, attempts, planned_at, at, settled_at,
       hold_until, provider_id, COALESCE(offer_id, '') AS offer_id
FROM ledger
WHERE customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
ORDER BY COALESCE(at, planned_at) DESC, key LIMIT :most

-- name: exported
SELECT run_id AS run, step, COALESCE(campaign_id, '') AS campaign, customer_id,
       COALESCE(channel, '') AS channel, key, state AS fate, reason, message_class, topic,
       COALESCE(offer_id, '') AS offer, attempts, provider_id, planned_at, at, settled_at,
       hold_until
FROM ledger WHERE key > :after ORDER BY key LIMIT :most

-- name: waiting
SELECT channel, COUNT(*) AS contacts, MIN(planned_at) AS since FROM (
    SELECT channel, planned_at FROM ledger
    WHERE state = 'planned' AND turn = 0 AND planned_at <= :before LIMIT 1000000
) AS old
GROUP BY channel ORDER BY channel

-- name: silent
SELECT channel, COUNT(*) AS contacts, MIN(lease_until) AS since FROM ledger
WHERE state = 'claimed' AND turn = 0 AND lease_until <= :before
GROUP BY channel ORDER BY channel

-- name: overdue
SELECT COALESCE(channel, '') AS channel, COUNT(*) AS contacts, MIN(next_at) AS since FROM ledger
WHERE state = 'deferred' AND next_at IS NOT NULL AND turn = 0 AND next_at <= :before
GROUP BY channel ORDER BY channel

-- name: closed
SELECT channel, failures AS contacts, since FROM channel_health
WHERE closed_until > :now ORDER BY channel

-- name: doubtful
SELECT channel, COUNT(*) AS contacts, MIN(at) AS since FROM ledger
WHERE state = 'unknown' GROUP BY channel ORDER BY channel
