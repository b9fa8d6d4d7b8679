-- name: next_planned
-- One window of what may go out now, the first by priority and age. Every row of the index behind
-- it may go out, so the cost does not grow with the ledger.
SELECT key, run_id, step, customer_id, campaign_id, offer_id, topic, priority, content, sender,
       is_automated, cost_cents, attempts, first_at
FROM ledger
WHERE state = 'planned' AND turn = :turn AND channel = :channel
  AND message_class = :message_class AND planned_at < :before
ORDER BY priority DESC, planned_at, key LIMIT :most

-- name: next_planned [postgresql]
-- Rows another worker is claiming are passed over; ours stay locked until the claim commits.
SELECT key, run_id, step, customer_id, campaign_id, offer_id, topic, priority, content, sender,
       is_automated, cost_cents, attempts, first_at
FROM ledger
WHERE state = 'planned' AND turn = :turn AND channel = :channel
  AND message_class = :message_class AND planned_at < :before
ORDER BY priority DESC, planned_at, key LIMIT :most
FOR UPDATE SKIP LOCKED

-- name: any_planned
SELECT 1 AS found FROM ledger
WHERE state = 'planned' AND turn = :turn AND channel = :channel
  AND message_class = :message_class AND planned_at < :before
LIMIT 1

-- name: any_expired
SELECT 1 AS found FROM ledger
WHERE state = 'claimed' AND turn = :turn AND channel = :channel AND lease_until <= :due
LIMIT 1

-- name: any_held
SELECT 1 AS found FROM ledger
WHERE state = 'deferred' AND next_at IS NOT NULL AND turn = :turn AND next_at <= :due
LIMIT 1

-- name: called_off
-- Runs nobody of may be contacted now: cancelled, or of a campaign or journey that does not run. Its
-- state is asked itself, so that it counts for runs and rows written after it changed too.
SELECT r.run_id, r.step, r.cancelled, COALESCE(c.state, j.state, '') AS campaign_state
FROM runs AS r LEFT JOIN campaigns AS c ON c.campaign_id = r.campaign_id
LEFT JOIN journeys AS j ON r.run_id LIKE 'journey/%' AND j.journey_id = SUBSTR(r.run_id, 9)
WHERE r.run_id IN (SELECT value FROM json_each(:run_ids))
  AND (r.cancelled <> '' OR COALESCE(c.state, j.state) IN ('paused', 'stopped', 'finished'))

-- name: called_off [postgresql]
SELECT r.run_id, r.step, r.cancelled, COALESCE(c.state, j.state, '') AS campaign_state
FROM runs AS r LEFT JOIN campaigns AS c ON c.campaign_id = r.campaign_id
LEFT JOIN journeys AS j ON r.run_id LIKE 'journey/%' AND j.journey_id = SUBSTR(r.run_id, 9)
WHERE r.run_id IN (SELECT json_array_elements_text(CAST(:run_ids AS json)))
  AND (r.cancelled <> '' OR COALESCE(c.state, j.state) IN ('paused', 'stopped', 'finished'))

-- name: claim
UPDATE ledger
SET state = 'claimed', reason = 'claimed', owner = :owner, lease_until = :lease_until, at = :at,
    claimed_on = :claimed_on,
    first_at = COALESCE(first_at, :at), next_at = NULL, hold_until = NULL
WHERE key IN (SELECT value FROM json_each(:keys)) AND state = 'planned'

-- name: claim [postgresql]
UPDATE ledger
SET state = 'claimed', reason = 'claimed', owner = :owner, lease_until = :lease_until, at = :at,
    claimed_on = :claimed_on,
    first_at = COALESCE(first_at, :at), next_at = NULL, hold_until = NULL
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND state = 'planned'

-- name: refuse
UPDATE ledger
SET state = :state, reason = :reason, hold_until = :hold_until, next_at = :next_at,
    settled_at = :at, at = NULL
WHERE key IN (SELECT value FROM json_each(:keys)) AND state = 'planned'

-- name: refuse [postgresql]
UPDATE ledger
SET state = :state, reason = :reason, hold_until = :hold_until, next_at = :next_at,
    settled_at = :at, at = NULL
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND state = 'planned'

-- name: sent
-- A late answer is true also when the claim was given up meanwhile; a settled row stays as it is.
-- Who had claimed it is forgotten: the same contacts leave the same rows, whoever made them.
UPDATE ledger
SET state = 'sent', reason = 'handed_over', attempts = attempts + 1, lease_until = NULL,
    owner = '', claimed_on = '',
    settled_at = :at,
    provider_id = COALESCE((SELECT value FROM json_each(:provider_ids) AS p
                            WHERE p.key = ledger.key), '')
WHERE key IN (SELECT value FROM json_each(:keys)) AND owner = :owner
  AND state IN ('claimed', 'unknown')

-- name: sent [postgresql]
UPDATE ledger
SET state = 'sent', reason = 'handed_over', attempts = attempts + 1, lease_until = NULL,
    owner = '', claimed_on = '',
    settled_at = :at, provider_id = COALESCE(CAST(:provider_ids AS json) ->> ledger.key, '')
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND owner = :owner
  AND state IN ('claimed', 'unknown')

-- name: not_taken
-- Gives the keys it moved: only whoever moved a row gives back what it had reserved.
UPDATE ledger
SET state = :state, reason = :reason, attempts = attempts + 1, lease_until = NULL,
    owner = '', claimed_on = '',
    next_at = :next_at, settled_at = :at, at = NULL
WHERE key IN (SELECT value FROM json_each(:keys)) AND owner = :owner
  AND state IN ('claimed', 'unknown')
RETURNING key

-- name: not_taken [postgresql]
UPDATE ledger
SET state = :state, reason = :reason, attempts = attempts + 1, lease_until = NULL,
    owner = '', claimed_on = '',
    next_at = :next_at, settled_at = :at, at = NULL
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND owner = :owner
  AND state IN ('claimed', 'unknown')
RETURNING key

-- name: unclaim
UPDATE ledger
SET state = 'planned', reason = 'planned', lease_until = NULL, owner = '', at = NULL
WHERE key IN (SELECT value FROM json_each(:keys)) AND owner = :owner AND state = 'claimed'
RETURNING key

-- name: unclaim [postgresql]
UPDATE ledger
SET state = 'planned', reason = 'planned', lease_until = NULL, owner = '', at = NULL
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND owner = :owner
  AND state = 'claimed'
RETURNING key

-- name: doubt
-- It stays claimed, by nobody, until its next attempt: whether it was taken is not known.
UPDATE ledger
SET reason = :reason, attempts = attempts + 1, owner = '', lease_until = :lease_until
WHERE key IN (SELECT value FROM json_each(:keys)) AND owner = :owner AND state = 'claimed'

-- name: doubt [postgresql]
UPDATE ledger
SET reason = :reason, attempts = attempts + 1, owner = '', lease_until = :lease_until
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND owner = :owner
  AND state = 'claimed'

-- name: give_up
UPDATE ledger
SET state = 'unknown', reason = :reason, lease_until = NULL, settled_at = :at
WHERE key IN (SELECT value FROM json_each(:keys)) AND state = 'claimed'

-- name: give_up [postgresql]
UPDATE ledger
SET state = 'unknown', reason = :reason, lease_until = NULL, settled_at = :at
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND state = 'claimed'

-- name: expired
SELECT key, run_id, step, customer_id, campaign_id, offer_id, message_class, topic, priority,
       content, sender, is_automated, cost_cents, attempts, first_at, at, owner, reason, claimed_on
FROM ledger
WHERE state = 'claimed' AND turn = :turn AND channel = :channel AND lease_until <= :due
ORDER BY lease_until, key LIMIT :most

-- name: expired [postgresql]
SELECT key, run_id, step, customer_id, campaign_id, offer_id, message_class, topic, priority,
       content, sender, is_automated, cost_cents, attempts, first_at, at, owner, reason, claimed_on
FROM ledger
WHERE state = 'claimed' AND turn = :turn AND channel = :channel AND lease_until <= :due
ORDER BY lease_until, key LIMIT :most
FOR UPDATE OF ledger SKIP LOCKED

-- name: take_over
UPDATE ledger SET owner = :owner, lease_until = :lease_until
WHERE key IN (SELECT value FROM json_each(:keys)) AND state = 'claimed'

-- name: take_over [postgresql]
UPDATE ledger SET owner = :owner, lease_until = :lease_until
WHERE key IN (SELECT json_array_elements_text(CAST(:keys AS json))) AND state = 'claimed'

-- name: holders
SELECT DISTINCT owner FROM ledger WHERE state = 'claimed' AND turn = :turn AND owner <> ''

-- name: expire
UPDATE ledger SET lease_until = :due
WHERE state = 'claimed' AND turn = :turn AND owner = :owner AND lease_until > :due

-- name: expire [postgresql]
-- Two that find the same process dead lock its rows in one order, or would wait for each other.
UPDATE ledger SET lease_until = :due
WHERE key IN (
    SELECT key FROM ledger
    WHERE state = 'claimed' AND turn = :turn AND owner = :owner AND lease_until > :due
    ORDER BY key FOR UPDATE
)

-- name: expire_all
UPDATE ledger SET lease_until = :due
WHERE state = 'claimed' AND turn = :turn AND (lease_until > :due OR lease_until IS NULL)

-- name: renew
UPDATE ledger SET lease_until = :lease_until
WHERE state = 'claimed' AND turn = :turn AND owner = :owner AND lease_until < :lease_until

-- name: renew [postgresql]
-- Rows a sender is settling need no longer lease, and waiting for them would end in a deadlock: it
-- locks its rows in an order of its own.
UPDATE ledger SET lease_until = :lease_until
WHERE key IN (
    SELECT key FROM ledger
    WHERE state = 'claimed' AND turn = :turn AND owner = :owner AND lease_until < :lease_until
    ORDER BY key FOR UPDATE SKIP LOCKED
)

-- name: release
UPDATE ledger SET state = 'planned', reason = 'planned', next_at = NULL, settled_at = NULL
WHERE key IN (
    SELECT key FROM ledger
    WHERE state = 'deferred' AND next_at IS NOT NULL AND turn = :turn AND next_at <= :due
    ORDER BY next_at LIMIT :most
)

-- name: release [postgresql]
UPDATE ledger SET state = 'planned', reason = 'planned', next_at = NULL, settled_at = NULL
WHERE key IN (
    SELECT key FROM ledger
    WHERE state = 'deferred' AND next_at IS NOT NULL AND turn = :turn AND next_at <= :due
    ORDER BY next_at LIMIT :most
    FOR UPDATE SKIP LOCKED
)

-- name: soonest
-- The next moment something is to be tried again; not before its channel is open again.
SELECT MIN(moment) AS moment FROM (
    SELECT MIN(next_at) AS moment FROM ledger
    WHERE state = 'deferred' AND next_at IS NOT NULL AND turn = :turn AND attempts > 0
    UNION ALL
    SELECT CASE WHEN h.closed_until > l.moment THEN h.closed_until ELSE l.moment END
    FROM (
        SELECT channel, MIN(lease_until) AS moment FROM ledger
        WHERE state = 'claimed' AND turn = :turn AND owner = '' GROUP BY channel
    ) AS l
    LEFT JOIN channel_health AS h ON h.channel = l.channel
    UNION ALL
    SELECT MIN(h.closed_until) FROM channel_health AS h
    WHERE h.closed_until > :due AND EXISTS (
        SELECT 1 FROM ledger AS l
        WHERE l.state = 'planned' AND l.turn = :turn AND l.channel = h.channel)
) AS moments

-- name: channels
SELECT DISTINCT channel FROM ledger
WHERE turn = :turn AND (state IN ('planned', 'claimed') OR (state = 'deferred' AND next_at IS NOT NULL))

-- name: health
SELECT failures, closed_until FROM channel_health WHERE channel = :channel

-- name: set_health
INSERT INTO channel_health (channel, failures, closed_until, reason, since)
VALUES (:channel, :failures, :closed_until, :reason, :since)
ON CONFLICT (channel) DO UPDATE
SET failures = excluded.failures, closed_until = excluded.closed_until, reason = excluded.reason,
    since = excluded.since

-- name: latest_moment
SELECT value FROM watermarks WHERE name = 'sending_clock'

-- name: set_latest_moment
INSERT INTO watermarks (name, value) VALUES ('sending_clock', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: distrust_keys
UPDATE ledger SET reason = :reason WHERE state = 'claimed' AND turn = 0
