-- name: add
INSERT INTO points_referrals (friend_id, referrer_id, told_at, state, reason)
VALUES (:friend_id, :referrer_id, :at, 'waiting', '')
ON CONFLICT (friend_id) DO NOTHING

-- name: of_friend
-- Under whatever id; the one told first counts, and one that was paid before all.
SELECT friend_id, referrer_id, told_at, state, reason, settled_at FROM points_referrals
WHERE friend_id IN (SELECT value FROM json_each(:ids))
ORDER BY CASE state WHEN 'paid' THEN 0 ELSE 1 END, told_at, friend_id

-- name: waiting
SELECT friend_id, referrer_id, told_at FROM points_referrals WHERE state = 'waiting'
ORDER BY told_at, friend_id

-- name: paid
SELECT COUNT(*) AS friends FROM points_referrals
WHERE referrer_id IN (SELECT value FROM json_each(:ids)) AND state = 'paid'

-- name: settle
UPDATE points_referrals SET state = :state, reason = :reason, settled_at = :at
WHERE friend_id = :friend_id AND state = 'waiting'

-- name: of_referrer
SELECT friend_id, referrer_id, told_at, state, reason, settled_at FROM points_referrals
WHERE referrer_id IN (SELECT value FROM json_each(:ids)) ORDER BY told_at, friend_id

-- name: all
SELECT friend_id, referrer_id, told_at, state, reason, settled_at FROM points_referrals
ORDER BY told_at, friend_id
