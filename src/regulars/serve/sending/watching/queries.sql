-- name: sent
SELECT channel, COUNT(*) AS contacts FROM ledger WHERE state = 'sent' GROUP BY channel

-- name: health
SELECT channel, failures, closed_until, reason FROM channel_health

-- name: newest_runs
SELECT run_id, step, campaign_id, message_class, audience, counted_at, cancelled FROM runs
WHERE audience > 0 ORDER BY counted_at DESC, run_id DESC LIMIT :most

-- name: fates_of_run
SELECT state, reason, COUNT(*) AS customers FROM ledger
WHERE run_id = :run_id AND step = :step GROUP BY state, reason

-- name: unknown_count
SELECT COUNT(*) AS contacts FROM ledger WHERE state = 'unknown'

-- name: waiting_count
SELECT state, COUNT(*) AS contacts FROM ledger
WHERE state IN ('planned', 'claimed') GROUP BY state
