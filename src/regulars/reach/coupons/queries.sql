-- name: lock_pools
-- Writers of SQLite wait for each other already.
SELECT offer_id, free FROM coupon_pools
WHERE offer_id IN (SELECT value FROM json_each(:offers)) ORDER BY offer_id

-- name: lock_pools [postgresql]
-- Locked until the end of the transaction, in one order, and before offer_stock everywhere:
-- whoever gives or takes codes of an offer is alone with it.
SELECT offer_id, free FROM coupon_pools
WHERE offer_id IN (SELECT json_array_elements_text(CAST(:offers AS json)))
ORDER BY offer_id FOR UPDATE

-- name: pools
SELECT offer_id, free FROM coupon_pools
WHERE offer_id IN (SELECT value FROM json_each(:offers)) ORDER BY offer_id

-- name: pools [postgresql]
SELECT offer_id, free FROM coupon_pools
WHERE offer_id IN (SELECT json_array_elements_text(CAST(:offers AS json)))
ORDER BY offer_id

-- name: fill_pool
UPDATE coupon_pools SET free = free + :codes WHERE offer_id = :offer_id

-- name: stale
-- Free codes whose batch has run out; asked before codes are given.
UPDATE coupon_codes SET state = 'expired', changed_at = :at, reason = 'batch_ended'
WHERE offer_id = :offer_id AND state = 'free' AND expires_at <= :at

-- name: free_codes
SELECT code, shown, expires_at FROM coupon_codes
WHERE offer_id = :offer_id AND state = 'free' ORDER BY number, code LIMIT :most

-- name: give
UPDATE coupon_codes
SET state = value ->> 4, customer_id = value ->> 1, issue_key = value ->> 2,
    expires_at = value ->> 3, offer_version = :version, issued_at = :at, changed_at = :at,
    reason = ''
FROM json_each(:given)
WHERE coupon_codes.code = value ->> 0 AND state = 'free'

-- name: give [postgresql]
UPDATE coupon_codes
SET state = value ->> 4, customer_id = value ->> 1, issue_key = value ->> 2,
    expires_at = value ->> 3, offer_version = CAST(:version AS bigint), issued_at = :at,
    changed_at = :at, reason = ''
FROM json_array_elements(CAST(:given AS json)) AS given (value)
WHERE coupon_codes.code = value ->> 0 AND state = 'free'

-- name: by_keys
SELECT code, shown, offer_id, issue_key, customer_id, state FROM coupon_codes
WHERE issue_key IN (SELECT value FROM json_each(:keys)) ORDER BY issue_key

-- name: by_keys [postgresql]
SELECT code, shown, offer_id, issue_key, customer_id, state FROM coupon_codes
WHERE issue_key IN (SELECT json_array_elements_text(CAST(:keys AS json))) ORDER BY issue_key

-- name: shared_of
-- The code everybody may use, of offers that have one.
SELECT offer_id, shown FROM coupon_codes
WHERE state = 'issued' AND customer_id = ''
  AND (expires_at IS NULL OR expires_at > :at)
  AND offer_id IN (SELECT value FROM json_each(:offers)) ORDER BY offer_id, number, code

-- name: shared_of [postgresql]
SELECT offer_id, shown FROM coupon_codes
WHERE state = 'issued' AND customer_id = ''
  AND (expires_at IS NULL OR expires_at > :at)
  AND offer_id IN (SELECT json_array_elements_text(CAST(:offers AS json)))
ORDER BY offer_id, number, code

-- name: confirm
-- Asks the ledger itself: what another sender settled meanwhile is not confirmed by a late answer.
UPDATE coupon_codes SET state = 'issued', changed_at = :at
WHERE issue_key IN (SELECT value FROM json_each(:keys)) AND state = 'reserved'
  AND EXISTS (SELECT 1 FROM ledger AS l
              WHERE l.key = coupon_codes.issue_key AND l.state = 'sent')

-- name: confirm [postgresql]
UPDATE coupon_codes SET state = 'issued', changed_at = :at
WHERE issue_key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND state = 'reserved'
  AND EXISTS (SELECT 1 FROM ledger AS l
              WHERE l.key = coupon_codes.issue_key AND l.state = 'sent')

-- name: doubted
SELECT c.issue_key, c.offer_id FROM coupon_codes AS c JOIN ledger AS l ON l.key = c.issue_key
WHERE c.issue_key IN (SELECT value FROM json_each(:keys))
  AND c.state = 'reserved' AND l.state = 'unknown' ORDER BY c.issue_key

-- name: doubted [postgresql]
SELECT c.issue_key, c.offer_id FROM coupon_codes AS c JOIN ledger AS l ON l.key = c.issue_key
WHERE c.issue_key IN (SELECT json_array_elements_text(CAST(:keys AS json)))
  AND c.state = 'reserved' AND l.state = 'unknown' ORDER BY c.issue_key

-- name: free_again
-- What was never handed over is as good as new, with the end of its batch.
UPDATE coupon_codes
SET state = 'free', customer_id = '', issue_key = NULL, offer_version = NULL, issued_at = NULL,
    changed_at = :at, reason = '', uses = 0,
    expires_at = (SELECT expires_at FROM coupon_batches AS b
                  WHERE b.batch_id = coupon_codes.batch_id)
WHERE issue_key IN (SELECT value FROM json_each(:keys)) AND state = 'reserved'
RETURNING offer_id

-- name: free_again [postgresql]
UPDATE coupon_codes
SET state = 'free', customer_id = '', issue_key = NULL, offer_version = NULL, issued_at = NULL,
    changed_at = :at, reason = '', uses = 0,
    expires_at = (SELECT expires_at FROM coupon_batches AS b
                  WHERE b.batch_id = coupon_codes.batch_id)
WHERE issue_key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND state = 'reserved'
RETURNING offer_id

-- name: void_keys
UPDATE coupon_codes SET state = 'void', changed_at = :at, reason = :reason
WHERE issue_key IN (SELECT value FROM json_each(:keys)) AND state IN ('reserved', 'issued')
  AND uses = 0
RETURNING offer_id, issue_key

-- name: void_keys [postgresql]
UPDATE coupon_codes SET state = 'void', changed_at = :at, reason = :reason
WHERE issue_key IN (SELECT json_array_elements_text(CAST(:keys AS json)))
  AND state IN ('reserved', 'issued') AND uses = 0
RETURNING offer_id, issue_key

-- name: held_by_all
SELECT c.customer_id, c.offer_id, COUNT(*) AS codes FROM json_each(:asked) AS asked
CROSS JOIN coupon_codes AS c
    ON c.customer_id = asked.value ->> 0 AND c.offer_id = asked.value ->> 1
    AND c.state IN ('reserved', 'issued', 'redeemed')
GROUP BY c.customer_id, c.offer_id

-- name: held_by_all [postgresql]
SELECT c.customer_id, c.offer_id, COUNT(*) AS codes
FROM json_array_elements(CAST(:asked AS json)) AS asked (value)
JOIN coupon_codes AS c
    ON c.customer_id = asked.value ->> 0 AND c.offer_id = asked.value ->> 1
    AND c.state IN ('reserved', 'issued', 'redeemed')
GROUP BY c.customer_id, c.offer_id

-- name: take_stock
UPDATE offer_stock SET given = given + 1
WHERE offer_id = :offer_id AND (stock IS NULL OR given < stock)

-- name: return_stock
UPDATE offer_stock SET given = given - :returned
WHERE offer_id = :offer_id AND given >= :returned
