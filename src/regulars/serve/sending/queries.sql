-- name: sent
SELECT channel, COUNT(*) AS contacts FROM ledger WHERE state = 'sent' GROUP BY channel

-- name: health
SELECT channel, failures, closed_until, reason FROM channel_health
