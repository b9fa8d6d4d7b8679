-- name: reasons
SELECT reason FROM suppressed_addresses
WHERE token = :token AND channel IN (:channel, '*') AND (until IS NULL OR until > :now)

-- name: message_class
SELECT message_class FROM ledger WHERE key = :key
