-- name: put
INSERT INTO creators (creator_id, name, kind, platform, code, target, offer_id, share_bp, state,
    made_by, made_at)
VALUES (:creator_id, :name, :kind, :platform, :code, :target, :offer_id, :share_bp, 'active',
    :made_by, :made_at)
ON CONFLICT (creator_id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
    platform = excluded.platform, target = excluded.target, share_bp = excluded.share_bp

-- name: list
SELECT * FROM creators ORDER BY creator_id

-- name: one
SELECT * FROM creators WHERE creator_id = :creator_id

-- name: orders
-- What was paid for with a creator's code, without what came back.
SELECT code, COUNT(*) AS orders, SUM(order_cents) AS order_cents,
       SUM(discount_cents) AS discount_cents, COUNT(DISTINCT customer_id) AS customers
FROM coupon_redemptions
WHERE reversed_at IS NULL AND at >= :since AND at < :until
GROUP BY code ORDER BY code
