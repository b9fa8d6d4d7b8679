-- name: codes
SELECT * FROM coupon_codes WHERE code IN (SELECT value FROM json_each(:codes)) ORDER BY code

-- name: codes [postgresql]
SELECT * FROM coupon_codes
WHERE code IN (SELECT json_array_elements_text(CAST(:codes AS json))) ORDER BY code

-- name: lock_offers
-- Writers of SQLite wait for each other already.
SELECT offer_id FROM offer_stock
WHERE offer_id IN (SELECT value FROM json_each(:offers)) ORDER BY offer_id

-- name: lock_offers [postgresql]
-- After the pools, in one order: who counts how often a customer used an offer is alone with it.
SELECT offer_id FROM offer_stock
WHERE offer_id IN (SELECT json_array_elements_text(CAST(:offers AS json)))
ORDER BY offer_id FOR UPDATE

-- name: lock_codes
SELECT code FROM coupon_codes WHERE code IN (SELECT value FROM json_each(:codes)) ORDER BY code

-- name: lock_codes [postgresql]
SELECT code FROM coupon_codes
WHERE code IN (SELECT json_array_elements_text(CAST(:codes AS json))) ORDER BY code FOR UPDATE

-- name: used_by
SELECT COUNT(*) AS times FROM coupon_redemptions
WHERE offer_id = :offer_id AND customer_id IN (SELECT value FROM json_each(:customers))
    AND reversed_at IS NULL

-- name: used_by [postgresql]
SELECT COUNT(*) AS times FROM coupon_redemptions
WHERE offer_id = :offer_id
    AND customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
    AND reversed_at IS NULL

-- name: present
SELECT node, customer_id FROM identifiers WHERE node IN (SELECT value FROM json_each(:nodes))

-- name: present [postgresql]
SELECT node, customer_id FROM identifiers
WHERE node IN (SELECT json_array_elements_text(CAST(:nodes AS json)))

-- name: take_order
-- Nothing is written when the key or a standing redemption of the order is there already.
INSERT INTO coupon_orders (key, order_id, customer_id, asked, answer, at)
VALUES (:key, :order_id, :customer_id, :asked, '', :at)
ON CONFLICT DO NOTHING

-- name: order_by_key
SELECT * FROM coupon_orders WHERE key = :key

-- name: standing_order
SELECT * FROM coupon_orders WHERE order_id = :order_id AND reversed_at IS NULL

-- name: lock_order
SELECT * FROM coupon_orders WHERE key = :key

-- name: lock_order [postgresql]
SELECT * FROM coupon_orders WHERE key = :key FOR UPDATE

-- name: answer
UPDATE coupon_orders SET answer = :answer WHERE key = :key

-- name: leave_order
DELETE FROM coupon_orders WHERE key = :key AND answer = ''

-- name: use_code
UPDATE coupon_codes
SET uses = uses + 1, changed_at = :at,
    state = CASE WHEN uses + 1 >= most_uses THEN 'redeemed' ELSE state END
WHERE code = :code AND state IN ('reserved', 'issued') AND (most_uses IS NULL OR uses < most_uses)

-- name: unuse_code
UPDATE coupon_codes
SET uses = uses - 1, changed_at = :at,
    state = CASE WHEN state = 'redeemed' THEN 'issued' ELSE state END
WHERE code = :code AND uses > 0

-- name: add_redemption
INSERT INTO coupon_redemptions (key, position, code, offer_id, offer_version, holder_id,
    customer_id, order_id, discount_cents, order_cents, store_id, sales_channel, at)
VALUES (:key, :position, :code, :offer_id, :offer_version, :holder_id, :customer_id, :order_id,
    :discount_cents, :order_cents, :store_id, :sales_channel, :at)

-- name: redemptions_of
SELECT * FROM coupon_redemptions WHERE key = :key ORDER BY position

-- name: reverse_order
UPDATE coupon_orders SET reversed_at = :at, reverse_key = :reverse_key
WHERE key = :key AND reversed_at IS NULL

-- name: reverse_redemptions
UPDATE coupon_redemptions SET reversed_at = :at WHERE key = :key AND reversed_at IS NULL

-- name: refuse
INSERT INTO coupon_refusals (key, code, reason, customer_id, order_id, store_id, at)
VALUES (:key, :code, :reason, :customer_id, :order_id, :store_id, :at)
ON CONFLICT (key, code) DO UPDATE SET reason = excluded.reason, at = excluded.at

-- name: redemptions
SELECT * FROM coupon_redemptions ORDER BY at DESC, key, position LIMIT :most
