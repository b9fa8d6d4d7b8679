-- name: uses
SELECT r.key, r.position, r.code, r.offer_id, r.customer_id, r.holder_id, r.order_id, r.at,
       r.discount_cents, r.order_cents, c.expires_at, c.most_uses
FROM coupon_redemptions AS r JOIN coupon_codes AS c ON c.code = r.code
WHERE r.reversed_at IS NULL AND r.at >= :since
ORDER BY r.at, r.key, r.position

-- name: codes
SELECT code, offer_id, customer_id, expires_at, most_uses FROM coupon_codes
WHERE code IN (SELECT value FROM json_each(:codes))

-- name: codes [postgresql]
SELECT code, offer_id, customer_id, expires_at, most_uses FROM coupon_codes
WHERE code IN (SELECT json_array_elements_text(CAST(:codes AS json)))

-- name: refusals
SELECT key, code, reason, customer_id, order_id, store_id, at FROM coupon_refusals
WHERE at >= :since ORDER BY at, key, code
