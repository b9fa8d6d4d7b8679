-- name: pin
INSERT INTO budget_pins (segment, channel, offer_id, amount, why, actor, set_at, until)
VALUES (:segment, :channel, :offer_id, :amount, :why, :actor, :set_at, :until)
ON CONFLICT (segment, channel, offer_id) DO UPDATE SET
    amount = excluded.amount, why = excluded.why, actor = excluded.actor,
    set_at = excluded.set_at, until = excluded.until

-- name: unpin
DELETE FROM budget_pins
WHERE segment = :segment AND channel = :channel AND offer_id = :offer_id

-- name: pins
SELECT segment, channel, offer_id, amount, why, actor, set_at, until FROM budget_pins
WHERE until IS NULL OR until > :at
ORDER BY segment, channel, offer_id

-- name: review
INSERT INTO budget_reviews (kind, period, made_at, actor, note, before, after, evidence)
VALUES (:kind, :period, :made_at, :actor, :note, :before, :after, :evidence)
ON CONFLICT (kind, period) DO NOTHING

-- name: reviews
SELECT kind, period, made_at, actor, note, before, after, evidence FROM budget_reviews
ORDER BY made_at DESC, kind, period
