-- name: last_number
-- Write transactions wait for each other, so outcomes are numbered in the order they commit.
SELECT COALESCE(MAX(number), 0) AS number FROM receipt_outcomes

-- name: keep_post
INSERT INTO receipt_posts (post_id, channel, body, received_at)
VALUES (:post_id, :channel, :body, :received_at)
ON CONFLICT (post_id) DO NOTHING

-- name: any_old_post
SELECT 1 AS old FROM receipt_posts WHERE received_at <= :since LIMIT 1

-- name: forget_posts
DELETE FROM receipt_posts WHERE received_at <= :since

-- name: is_known
SELECT 1 AS known FROM receipt_inbox WHERE provider = :provider AND receipt_id = :receipt_id

-- name: keep_receipt
INSERT INTO receipt_inbox
    (provider, receipt_id, post_id, channel, kind, contact_key, provider_id, address_token, detail,
     is_permanent, is_scanner, occurred_at, received_at, standing)
VALUES
    (:provider, :receipt_id, :post_id, :channel, :kind, :contact_key, :provider_id,
     :address_token, :detail, :is_permanent, :is_scanner, :occurred_at, :received_at, :standing)
ON CONFLICT (provider, receipt_id) DO NOTHING

-- name: contact_by_key
SELECT key, customer_id, channel, at, state FROM ledger WHERE key = :key

-- name: contact_by_provider
-- The partial index on provider ids asks for the second condition.
SELECT key, customer_id, channel, at, state FROM ledger
WHERE provider_id = :provider_id AND provider_id <> '' AND channel = :channel ORDER BY key LIMIT 1

-- name: known_by
SELECT customer_id FROM identifiers WHERE node = :node AND is_shared = 0

-- name: registered_at
SELECT DISTINCT customer_id FROM contact_addresses WHERE address = :address

-- name: waiting
SELECT provider, receipt_id, channel, kind, contact_key, provider_id, address_token, is_scanner,
       occurred_at
FROM receipt_inbox WHERE standing = 'waiting'
ORDER BY received_at DESC, provider, receipt_id LIMIT :most

-- name: any_waiting
SELECT 1 AS waits FROM receipt_inbox WHERE standing = 'waiting' LIMIT 1

-- name: give_up
UPDATE receipt_inbox SET standing = 'unknown' WHERE standing = 'waiting' AND received_at <= :since

-- name: settle
UPDATE receipt_inbox SET standing = :standing, contact_key = :contact_key, is_scanner = :is_scanner
WHERE provider = :provider AND receipt_id = :receipt_id

-- name: state_of
SELECT * FROM contact_states WHERE contact_key = :contact_key

-- name: keep_state
INSERT INTO contact_states
    (contact_key, customer_id, channel, state, delivered_at, failed_at, soft_bounced_at,
     bounced_at, opened_at, clicked_at, opted_out_at, complained_at)
VALUES
    (:contact_key, :customer_id, :channel, :state, :delivered_at, :failed_at, :soft_bounced_at,
     :bounced_at, :opened_at, :clicked_at, :opted_out_at, :complained_at)
ON CONFLICT (contact_key) DO UPDATE SET
    state = excluded.state,
    delivered_at = excluded.delivered_at,
    failed_at = excluded.failed_at,
    soft_bounced_at = excluded.soft_bounced_at,
    bounced_at = excluded.bounced_at,
    opened_at = excluded.opened_at,
    clicked_at = excluded.clicked_at,
    opted_out_at = excluded.opted_out_at,
    complained_at = excluded.complained_at

-- name: soft_bounces
SELECT soft_bounced_at FROM contact_states
WHERE customer_id = :customer_id AND channel = :channel AND soft_bounced_at IS NOT NULL

-- name: keep_outcome
INSERT INTO receipt_outcomes (number, contact_key, kind, occurred_at, customer_id)
VALUES (:number, :contact_key, :kind, :occurred_at, :customer_id)
ON CONFLICT (contact_key, kind, occurred_at) DO NOTHING

-- name: outcomes_after
SELECT number, contact_key, kind, occurred_at, customer_id FROM receipt_outcomes
WHERE number > :number ORDER BY number LIMIT :most

-- name: all_states
SELECT * FROM contact_states ORDER BY contact_key

-- name: all_bars
SELECT customer_id, channel, reason, since, until FROM suppressions
ORDER BY customer_id, channel, reason

-- name: all_address_bars
SELECT token, channel, reason, since, until FROM suppressed_addresses
ORDER BY token, channel, reason

-- name: all_outcomes
SELECT contact_key, kind, occurred_at, customer_id FROM receipt_outcomes
ORDER BY contact_key, kind, occurred_at

-- name: counts
SELECT channel, kind, standing, COUNT(*) AS receipts FROM receipt_inbox
GROUP BY channel, kind, standing ORDER BY channel, kind, standing
