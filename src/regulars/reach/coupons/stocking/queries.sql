-- name: fill_pool
UPDATE coupon_pools SET free = free + :codes WHERE offer_id = :offer_id

-- name: open_pool
INSERT INTO coupon_pools (offer_id, free) VALUES (:offer_id, 0)
ON CONFLICT (offer_id) DO NOTHING

-- name: add_batch
INSERT INTO coupon_batches (batch_id, offer_id, origin, codes, made_by, made_at, expires_at)
VALUES (:batch_id, :offer_id, :origin, :codes, :made_by, :made_at, :expires_at)
ON CONFLICT (batch_id) DO NOTHING

-- name: add_codes
INSERT INTO coupon_codes (code, shown, offer_id, batch_id, number, state, customer_id, issue_key,
    offer_version, most_uses, uses, issued_at, expires_at, changed_at, reason)
SELECT value ->> 0, value ->> 1, :offer_id, :batch_id, value ->> 2, :state, '', NULL,
       :version, :most_uses, 0, :issued_at, :expires_at, :at, ''
FROM json_each(:codes) WHERE TRUE
ON CONFLICT (code) DO NOTHING
RETURNING code

-- name: add_codes [postgresql]
INSERT INTO coupon_codes (code, shown, offer_id, batch_id, number, state, customer_id, issue_key,
    offer_version, most_uses, uses, issued_at, expires_at, changed_at, reason)
SELECT value ->> 0, value ->> 1, CAST(:offer_id AS text), CAST(:batch_id AS text),
       CAST(value ->> 2 AS bigint), CAST(:state AS text), '', NULL, CAST(:version AS bigint),
       CAST(:most_uses AS bigint), 0, CAST(:issued_at AS text), CAST(:expires_at AS text),
       CAST(:at AS text), ''
FROM json_array_elements(CAST(:codes AS json)) AS given (value)
ON CONFLICT (code) DO NOTHING
RETURNING code

-- name: count_batch
UPDATE coupon_batches SET codes = :codes WHERE batch_id = :batch_id

-- name: batches
SELECT batch_id, offer_id, origin, codes, made_by, made_at, expires_at
FROM coupon_batches ORDER BY made_at, batch_id

-- name: find
SELECT * FROM coupon_codes WHERE code = :code

-- name: void
UPDATE coupon_codes SET state = 'void', changed_at = :at, reason = :reason
WHERE code = :code AND state IN ('free', 'reserved', 'issued')

-- name: expire
UPDATE coupon_codes SET state = 'expired', changed_at = :at, reason = 'ended'
WHERE state IN ('reserved', 'issued') AND expires_at <= :at

-- name: states
SELECT offer_id, state, COUNT(*) AS codes FROM coupon_codes
GROUP BY offer_id, state ORDER BY offer_id, state

-- name: list
SELECT * FROM coupon_codes
WHERE offer_id = :offer_id AND (:state = '' OR state = :state)
ORDER BY changed_at DESC, code LIMIT :most

-- name: list [postgresql]
SELECT * FROM coupon_codes
WHERE offer_id = :offer_id AND (CAST(:state AS text) = '' OR state = :state)
ORDER BY changed_at DESC, code LIMIT :most

-- name: of_customers
SELECT * FROM coupon_codes WHERE customer_id IN (SELECT value FROM json_each(:customers))
ORDER BY issued_at, code

