-- name: audience
SELECT CAST(value AS INTEGER) AS customers FROM watermarks WHERE name = :name

-- name: record_audience
INSERT INTO watermarks (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING

-- name: rows_of_turn
SELECT COUNT(*) AS customers FROM ledger WHERE turn = :turn

-- name: add
INSERT INTO ledger
    (key, turn, customer_id, campaign_id, offer_id, channel, cost_cents, state, reason, batch)
VALUES
    (:key, :turn, :customer_id, :campaign_id, :offer_id, :channel, :cost_cents, :state, :reason,
     :batch)

-- name: limit_to_stock
-- In the order of keys, so that who gets the last coupon does not depend on the senders.
UPDATE ledger SET state = 'skipped', reason = 'out_of_stock'
WHERE turn = :turn AND state = 'planned' AND key IN (
    SELECT key FROM (
        SELECT l.key, s.stock - s.given AS remaining,
               ROW_NUMBER() OVER (PARTITION BY l.offer_id ORDER BY l.key) AS place
        FROM ledger AS l JOIN offer_stock AS s ON s.offer_id = l.offer_id
        WHERE l.turn = :turn AND l.state = 'planned' AND s.stock IS NOT NULL
    ) AS ranked
    WHERE place > remaining
)

-- name: set_stock
INSERT INTO offer_stock (offer_id, stock, given) VALUES (:offer_id, :stock, 0)
ON CONFLICT (offer_id) DO UPDATE SET stock = excluded.stock

-- name: batches
SELECT DISTINCT batch, channel FROM ledger
WHERE turn = :turn AND state = :state ORDER BY batch

-- name: refuse_stopped
-- The rules of contact, in their order, as govern.policy.contact_verdicts asks them. Each
-- touches only rows no earlier rule has refused. A row being claimed becomes skipped; a row
-- claimed before a crash, which may have gone out already, becomes unknown.
UPDATE ledger SET state = :refused, reason = 'emergency_stop'
WHERE batch = :batch AND state = :state
  AND EXISTS (SELECT 1 FROM watermarks WHERE name = 'emergency_stop')

-- name: refuse_without_consent
UPDATE ledger SET state = :refused, reason = COALESCE('consent_' || (
    SELECT c.status FROM consents AS c
    WHERE c.customer_id = ledger.customer_id
      AND c.purpose = 'marketing' AND c.channel IN (ledger.channel, '*')
    ORDER BY c.recorded_at DESC,
             CASE c.status WHEN 'withdrawn' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END
    LIMIT 1
), 'no_consent')
WHERE batch = :batch AND state = :state
  AND COALESCE((
        SELECT c.status FROM consents AS c
        WHERE c.customer_id = ledger.customer_id
          AND c.purpose = 'marketing' AND c.channel IN (ledger.channel, '*')
        ORDER BY c.recorded_at DESC,
                 CASE c.status WHEN 'withdrawn' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END
        LIMIT 1
      ), :without_word) <> 'granted'

-- name: refuse_suppressed
UPDATE ledger SET state = :refused, reason = 'suppressed'
WHERE batch = :batch AND state = :state
  AND EXISTS (
        SELECT 1 FROM suppressions AS s
        WHERE s.customer_id = ledger.customer_id AND s.channel IN (ledger.channel, '*')
      )

-- name: refuse_capped
-- Days after today count too: a clock set back must not open the cap.
UPDATE ledger SET state = 'skipped', reason = 'frequency_cap'
WHERE batch = :batch AND state = 'planned'
  AND :cap <= COALESCE((
        SELECT SUM(d.contacts) FROM contact_days AS d
        WHERE d.customer_id = ledger.customer_id AND d.day > :since
      ), 0)

-- name: defer_quiet
UPDATE ledger SET state = 'deferred', reason = 'quiet_hours', hold_until = :hold_until
WHERE batch = :batch AND state = 'planned' AND :hold_until IS NOT NULL

-- name: refuse_out_of_stock
UPDATE ledger SET state = 'skipped', reason = 'out_of_stock'
WHERE batch = :batch AND state = 'planned' AND key IN (
    SELECT key FROM (
        SELECT l.key, s.stock - s.given AS remaining,
               ROW_NUMBER() OVER (PARTITION BY l.offer_id ORDER BY l.key) AS place
        FROM ledger AS l JOIN offer_stock AS s ON s.offer_id = l.offer_id
        WHERE l.batch = :batch AND l.state = 'planned' AND s.stock IS NOT NULL
    ) AS ranked
    WHERE place > remaining
)

-- name: reserve_cap
INSERT INTO contact_days (customer_id, day, contacts)
SELECT customer_id, :day, 1 FROM ledger WHERE batch = :batch AND state = 'planned'
ON CONFLICT (customer_id, day) DO UPDATE SET contacts = contact_days.contacts + 1

-- name: reserve_stock
UPDATE offer_stock SET given = given + (
    SELECT COUNT(*) FROM ledger
    WHERE batch = :batch AND state = 'planned' AND offer_id = offer_stock.offer_id
)
WHERE offer_id IN (SELECT offer_id FROM ledger WHERE batch = :batch AND state = 'planned')

-- name: claim
UPDATE ledger SET state = 'claimed', reason = 'claimed', at = :at
WHERE batch = :batch AND state = 'planned'

-- name: claimed
SELECT key, turn, customer_id, campaign_id, offer_id, channel, cost_cents, at FROM ledger
WHERE batch = :batch AND state = 'claimed' ORDER BY key

-- name: fail
UPDATE ledger SET state = 'failed', reason = :reason, at = NULL
WHERE key = :key AND state = 'claimed'

-- name: return_cap
UPDATE contact_days SET contacts = contacts - 1
WHERE customer_id = :customer_id AND day = :day AND contacts > 0

-- name: return_stock
UPDATE offer_stock SET given = given - 1 WHERE offer_id = :offer_id AND given > 0

-- name: confirm
UPDATE ledger SET state = 'sent', reason = 'handed_over'
WHERE batch = :batch AND state = 'claimed'

-- name: give_up
UPDATE ledger SET state = 'unknown', reason = :reason
WHERE batch = :batch AND state = 'claimed'

-- name: fates
SELECT state, reason, COUNT(*) AS customers FROM ledger
WHERE turn = :turn GROUP BY state, reason ORDER BY state, reason

-- name: contacts
-- Money is spent on what went out, and may have been spent on what nobody confirmed.
SELECT key, customer_id, campaign_id, offer_id, channel, state AS fate, reason,
       CASE WHEN state IN ('sent', 'unknown') THEN cost_cents ELSE 0 END AS cost_cents,
       CASE WHEN state IN ('sent', 'unknown') THEN at END AS at
FROM ledger WHERE turn = :turn ORDER BY customer_id

-- name: of_fate
SELECT key, customer_id, campaign_id, offer_id, channel, at, reason FROM ledger
WHERE turn = :turn AND state = :fate ORDER BY key
