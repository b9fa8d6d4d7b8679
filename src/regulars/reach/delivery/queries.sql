-- name: run
SELECT run_id, step, turn, audience, cancelled FROM runs WHERE run_id = :run_id AND step = :step

-- name: count_audience
INSERT INTO runs (run_id, step, turn, campaign_id, message_class, topic, priority, content,
                  audience, counted_at)
VALUES (:run_id, :step, :turn, :campaign_id, :message_class, :topic, :priority, :content,
        :audience, :at)
ON CONFLICT (run_id, step) DO NOTHING

-- name: grow_audience
UPDATE runs SET audience = audience + :joined WHERE run_id = :run_id AND step = :step

-- name: rows_of_run
SELECT COUNT(*) AS customers FROM ledger WHERE run_id = :run_id AND step = :step

-- name: add
-- Each row is a list: see member_rows.
INSERT INTO ledger
    (key, run_id, step, turn, customer_id, campaign_id, offer_id, channel, message_class, topic,
     priority, content, sender, is_automated, cost_cents, state, reason, next_at, hold_until,
     planned_at, settled_at)
SELECT value ->> 0, :run_id, :step, :turn, value ->> 1, COALESCE(:campaign_id, value ->> 10),
       value ->> 3, value ->> 2, :message_class, :topic, :priority, :content, value ->> 8,
       value ->> 7, value ->> 4, value ->> 5, value ->> 6, value ->> 9, value ->> 9, :at,
       CASE WHEN value ->> 5 <> 'planned' THEN :at END
FROM json_each(:rows) WHERE TRUE
ON CONFLICT (key) DO NOTHING

-- name: add [postgresql]
INSERT INTO ledger
    (key, run_id, step, turn, customer_id, campaign_id, offer_id, channel, message_class, topic,
     priority, content, sender, is_automated, cost_cents, state, reason, next_at, hold_until,
     planned_at, settled_at)
SELECT value ->> 0, CAST(:run_id AS text), CAST(:step AS text), CAST(:turn AS bigint),
       value ->> 1, COALESCE(CAST(:campaign_id AS text), value ->> 10),
       value ->> 3, value ->> 2, CAST(:message_class AS text), CAST(:topic AS text),
       CAST(:priority AS bigint), CAST(:content AS text), value ->> 8,
       CAST(value ->> 7 AS bigint), CAST(value ->> 4 AS bigint), value ->> 5, value ->> 6,
       value ->> 9, value ->> 9, CAST(:at AS text),
       CASE WHEN value ->> 5 <> 'planned' THEN CAST(:at AS text) END
FROM json_array_elements(CAST(:rows AS json)) AS given (value)
ON CONFLICT (key) DO NOTHING

-- name: limit_to_stock
-- In the order of keys, so that who gets the last coupon does not depend on the senders.
UPDATE ledger SET state = 'skipped', reason = 'out_of_stock', settled_at = :at
WHERE run_id = :run_id AND state = 'planned' AND key IN (
    SELECT key FROM (
        SELECT l.key, s.stock - s.given AS remaining,
               ROW_NUMBER() OVER (PARTITION BY l.offer_id ORDER BY l.key) AS place
        FROM ledger AS l JOIN offer_stock AS s ON s.offer_id = l.offer_id
        WHERE l.run_id = :run_id AND l.state = 'planned' AND s.stock IS NOT NULL
    ) AS ranked
    WHERE place > remaining
)

-- name: set_stock
INSERT INTO offer_stock (offer_id, stock, given) VALUES (:offer_id, :stock, 0)
ON CONFLICT (offer_id) DO UPDATE SET stock = excluded.stock

-- name: cancel
-- Planned rows and rows on hold; what is claimed may have gone out and gets its own fate.
UPDATE ledger
SET state = 'skipped', reason = :reason, settled_at = :at, next_at = NULL, hold_until = NULL
WHERE run_id = :run_id
  AND (state = 'planned' OR (state = 'deferred' AND next_at IS NOT NULL))

-- name: mark_cancelled
UPDATE runs SET cancelled = :reason WHERE run_id = :run_id AND cancelled = ''

-- name: settle_unknown
UPDATE ledger
SET state = :state, reason = :reason, settled_at = :at,
    provider_id = CASE WHEN :provider_id <> '' THEN :provider_id ELSE provider_id END
WHERE key = :key AND state IN ('unknown', 'claimed')

-- name: settle_unknown [postgresql]
UPDATE ledger
SET state = :state, reason = :reason, settled_at = :at,
    provider_id = CASE WHEN CAST(:provider_id AS text) <> '' THEN CAST(:provider_id AS text)
                       ELSE provider_id END
WHERE key = :key AND state IN ('unknown', 'claimed')

-- name: channels_of_run
SELECT DISTINCT channel FROM ledger
WHERE run_id = :run_id
  AND (state IN ('planned', 'claimed') OR (state = 'deferred' AND next_at IS NOT NULL))
ORDER BY channel

-- name: channels_left
-- Planned rows of a channel that is open are about to be claimed by somebody.
SELECT DISTINCT l.channel FROM ledger AS l
LEFT JOIN channel_health AS h ON h.channel = l.channel
WHERE l.run_id = :run_id
  AND ((l.state = 'planned' AND h.closed_until > :due) OR (l.state = 'claimed' AND l.owner = '')
       OR (l.state = 'deferred' AND l.next_at IS NOT NULL))
ORDER BY l.channel
