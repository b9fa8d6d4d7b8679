-- name: say
INSERT INTO budget_following
    (number, is_followed, flexible, reserve, risk, hurdle, of_turn, why, actor, set_at, until)
SELECT COALESCE(MAX(number), 0) + 1, :is_followed, :flexible, :reserve, :risk, :hurdle, :of_turn,
    :why, :actor, :set_at, :until
FROM budget_following

-- name: said
SELECT number, is_followed, flexible, reserve, risk, hurdle, of_turn, why, actor, set_at, until
FROM budget_following
ORDER BY number DESC

-- name: limit
INSERT INTO budget_limits (segment, channel, offer_id, floor, ceiling, why, actor, set_at, until)
VALUES (:segment, :channel, :offer_id, :floor, :ceiling, :why, :actor, :set_at, :until)
ON CONFLICT (segment, channel, offer_id) DO UPDATE SET
    floor = excluded.floor, ceiling = excluded.ceiling, why = excluded.why,
    actor = excluded.actor, set_at = excluded.set_at, until = excluded.until

-- name: unlimit
DELETE FROM budget_limits
WHERE segment = :segment AND channel = :channel AND offer_id = :offer_id

-- name: limits
SELECT segment, channel, offer_id, floor, ceiling, why, actor, set_at, until FROM budget_limits
WHERE until IS NULL OR until > :at
ORDER BY segment, channel, offer_id
