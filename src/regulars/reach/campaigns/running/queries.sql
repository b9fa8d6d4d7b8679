-- name: begin
UPDATE campaigns SET audience = :audience, running_version = :version, started_at = :at
WHERE campaign_id = :campaign_id AND started_at IS NULL

-- name: add_member
INSERT INTO campaign_members (campaign_id, customer_id, phase, assignment, channel)
VALUES (:campaign_id, :customer_id, :phase, :assignment, :channel)

-- name: add_phase
INSERT INTO campaign_phases (campaign_id, position, name, state, members, note)
VALUES (:campaign_id, :position, :name, 'waiting', :members, '')

-- name: members
SELECT customer_id, assignment, channel FROM campaign_members
WHERE campaign_id = :campaign_id AND phase = :phase ORDER BY customer_id

-- name: choose
UPDATE campaign_members SET channel = :channel
WHERE campaign_id = :campaign_id AND customer_id = :customer_id AND channel = ''

-- name: count_members
SELECT assignment, COUNT(*) AS customers FROM campaign_members
WHERE campaign_id = :campaign_id AND phase = :phase GROUP BY assignment

-- name: membership
-- Phases first, of which there are few: members of each are found by campaign and customer.
SELECT m.campaign_id, m.phase, m.assignment, p.name, p.state
FROM campaign_phases AS p
CROSS JOIN campaign_members AS m
WHERE p.enrolled_at IS NULL AND m.campaign_id = p.campaign_id AND m.customer_id = :customer_id
  AND m.phase = p.position

-- name: enrolled
UPDATE campaign_phases SET state = 'sending', enrolled_at = :at
WHERE campaign_id = :campaign_id AND position = :position AND enrolled_at IS NULL

-- name: judged
UPDATE campaign_phases SET state = :state, judged_at = :at, note = :note
WHERE campaign_id = :campaign_id AND position = :position

-- name: note
UPDATE campaign_phases SET note = :note WHERE campaign_id = :campaign_id AND position = :position

-- name: going
-- Rows of a run that may still go out, or are in the air.
SELECT COUNT(*) AS contacts FROM ledger
WHERE run_id = :run_id
  AND (state IN ('planned', 'claimed')
       OR (state = 'deferred' AND (next_at IS NOT NULL OR reason = 'campaign_paused')))

-- name: not_called_off
SELECT run_id FROM runs WHERE run_id = :run_id AND cancelled = '' LIMIT 1

-- name: triggered
SELECT COALESCE(SUM(audience), 0) AS customers FROM runs WHERE run_id = :run_id

-- name: counts
SELECT state, reason, COUNT(*) AS customers,
       SUM(CASE WHEN state IN ('sent', 'unknown') THEN cost_cents ELSE 0 END) AS cost_cents
FROM ledger WHERE run_id = :run_id GROUP BY state, reason ORDER BY state, reason

-- name: hold
UPDATE ledger SET state = 'deferred', reason = 'campaign_paused',
    hold_until = COALESCE(next_at, :at), next_at = NULL
WHERE run_id = :run_id
  AND (state = 'planned' OR (state = 'deferred' AND next_at IS NOT NULL))

-- name: held
SELECT key, hold_until FROM ledger
WHERE run_id = :run_id AND state = 'deferred' AND reason = 'campaign_paused'

-- name: release
UPDATE ledger SET next_at = :next_at, hold_until = :next_at
WHERE key = :key AND state = 'deferred' AND reason = 'campaign_paused'

-- name: expire
UPDATE ledger SET state = 'skipped', reason = :reason, next_at = NULL, settled_at = :at
WHERE run_id = :run_id AND (state = 'planned' OR state = 'deferred')

-- name: paused_at
SELECT changed_at FROM campaigns WHERE campaign_id = :campaign_id
