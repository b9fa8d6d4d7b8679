-- name: merges_since
-- Customers who became one, or parted, since points last followed.
SELECT number, survivor, other FROM merge_log
WHERE number > COALESCE((SELECT number FROM points_marks WHERE name = 'identity'), 0)
ORDER BY number LIMIT :most

-- name: mark_merges
-- Whoever comes second finds nothing to do: on a server he waits here for the first.
INSERT INTO points_marks (name, number) VALUES ('identity', :number)
ON CONFLICT (name) DO UPDATE SET number = excluded.number
WHERE points_marks.number < excluded.number

-- name: open_accounts
INSERT INTO points_accounts (customer_id, active, pending, owed, version)
SELECT value, 0, 0, 0, 0 FROM json_each(:customers) WHERE TRUE ORDER BY value
ON CONFLICT (customer_id) DO NOTHING

-- name: accounts
SELECT customer_id, active, pending, owed, version FROM points_accounts
WHERE customer_id IN (SELECT value FROM json_each(:customers)) ORDER BY customer_id

-- name: accounts [postgresql]
-- Locked until the end of the transaction, in one order for everybody.
SELECT customer_id, active, pending, owed, version FROM points_accounts
WHERE customer_id IN (SELECT value FROM json_each(:customers)) ORDER BY customer_id FOR UPDATE

-- name: all_lots
-- Spent ones too: what a reversal restores must reach whoever the customer is by then.
SELECT l.* FROM json_each(:customers) AS asked
CROSS JOIN points_lots AS l ON l.customer_id = asked.value

-- name: all_lots [postgresql]
SELECT l.* FROM json_each(:customers) AS asked JOIN points_lots AS l ON l.customer_id = asked.value

-- name: operations
SELECT o.* FROM json_each(:keys) AS asked CROSS JOIN points_operations AS o ON o.key = asked.value

-- name: operations [postgresql]
SELECT o.* FROM json_each(:keys) AS asked JOIN points_operations AS o ON o.key = asked.value

-- name: uses
SELECT u.key, u.lot_id, u.points, l.customer_id FROM json_each(:keys) AS asked
CROSS JOIN points_uses AS u ON u.key = asked.value
CROSS JOIN points_lots AS l ON l.lot_id = u.lot_id
WHERE u.points < 0 ORDER BY u.key, u.place

-- name: uses [postgresql]
SELECT u.key, u.lot_id, u.points, l.customer_id FROM json_each(:keys) AS asked
JOIN points_uses AS u ON u.key = asked.value
JOIN points_lots AS l ON l.lot_id = u.lot_id
WHERE u.points < 0 ORDER BY u.key, u.place

-- name: lot_owners
SELECT l.lot_id, l.customer_id FROM json_each(:lots) AS asked
CROSS JOIN points_lots AS l ON l.lot_id = asked.value

-- name: lot_owners [postgresql]
SELECT l.lot_id, l.customer_id FROM json_each(:lots) AS asked
JOIN points_lots AS l ON l.lot_id = asked.value

-- name: put_account
-- Only what was read is written over; the table refuses a balance below zero.
UPDATE points_accounts SET active = :active, pending = :pending, owed = :owed, version = :version
WHERE customer_id = :customer_id AND version = :stood

-- name: add_lot
INSERT INTO points_lots (
    lot_id, customer_id, earned_as, points, remaining, spent, expired, taken, state, earned_at,
    available_at, expires_at
) VALUES (
    :lot_id, :customer_id, :earned_as, :points, :remaining, :spent, :expired, :taken, :state,
    :earned_at, :available_at, :expires_at
)

-- name: put_lot
UPDATE points_lots SET customer_id = :customer_id, remaining = :remaining, spent = :spent,
    expired = :expired, taken = :taken, state = :state, expires_at = :expires_at
WHERE lot_id = :lot_id AND remaining = :stood

-- name: add_operation
INSERT INTO points_operations (
    key, kind, customer_id, asked_as, asked, points, reversed, reason, reference, reverses, at, actor
) VALUES (
    :key, :kind, :customer_id, :asked_as, :asked, :points, :reversed, :reason, :reference,
    :reverses, :at, :actor
)

-- name: put_reversed
-- Only what was read is written over.
UPDATE points_operations SET reversed = :reversed WHERE key = :key AND reversed = :stood

-- name: add_entry
INSERT INTO points_entries (key, account, customer_id, points)
VALUES (:key, :account, :customer_id, :points)

-- name: add_use
INSERT INTO points_uses (key, place, lot_id, points) VALUES (:key, :place, :lot_id, :points)

-- name: due
-- Customers with a lock that ended or points that expired; on a server nobody else's.
SELECT DISTINCT customer_id FROM points_lots
WHERE remaining > 0 AND ((state = 'pending' AND available_at <= :at) OR expires_at <= :at)
ORDER BY customer_id LIMIT :most

-- name: due [postgresql]
SELECT customer_id FROM points_accounts
WHERE customer_id IN (
    SELECT customer_id FROM points_lots
    WHERE remaining > 0 AND ((state = 'pending' AND available_at <= :at) OR expires_at <= :at)
)
ORDER BY customer_id LIMIT :most FOR UPDATE SKIP LOCKED

-- name: lots_of
SELECT * FROM points_lots WHERE customer_id = :customer_id AND remaining > 0
ORDER BY expires_at, earned_at, lot_id

-- name: balance_of
-- As of a moment: locks that end and points that expire by then count as such. The account holds
-- the sums of all lots, so that only those that are due need be looked at.
SELECT
    COALESCE((SELECT active FROM points_accounts WHERE customer_id = :customer_id), 0)
    - COALESCE((SELECT SUM(remaining) FROM points_lots WHERE customer_id = :customer_id
        AND remaining > 0 AND state = 'active' AND expires_at <= :at), 0)
    + COALESCE((SELECT SUM(remaining) FROM points_lots WHERE customer_id = :customer_id
        AND remaining > 0 AND state = 'pending' AND available_at <= :at AND expires_at > :at), 0)
    AS active,
    COALESCE((SELECT pending FROM points_accounts WHERE customer_id = :customer_id), 0)
    - COALESCE((SELECT SUM(remaining) FROM points_lots WHERE customer_id = :customer_id
        AND remaining > 0 AND state = 'pending' AND (available_at <= :at OR expires_at <= :at)), 0)
    AS pending,
    n.expires_at AS next_expiry,
    COALESCE((SELECT SUM(remaining) FROM points_lots WHERE customer_id = :customer_id
        AND remaining > 0 AND state IN ('active', 'pending') AND expires_at = n.expires_at), 0)
    AS expiring,
    (SELECT MIN(available_at) FROM points_lots WHERE customer_id = :customer_id
        AND remaining > 0 AND state = 'pending' AND available_at > :at AND expires_at > :at)
    AS next_available
FROM (
    SELECT MIN(expires_at) AS expires_at FROM points_lots
    WHERE customer_id = :customer_id AND remaining > 0 AND state IN ('active', 'pending')
        AND expires_at > :at AND expires_at < :never
) AS n

-- name: account_of
SELECT active, pending, owed FROM points_accounts WHERE customer_id = :customer_id

-- name: history
SELECT o.key, o.kind, o.points, o.reversed, o.reason, o.reference, o.reverses, o.at, o.actor,
    COALESCE((SELECT SUM(e.points) FROM points_entries AS e WHERE e.key = o.key
              AND e.customer_id = :customer_id AND e.account = 'active'), 0) AS active,
    COALESCE((SELECT SUM(e.points) FROM points_entries AS e WHERE e.key = o.key
              AND e.customer_id = :customer_id AND e.account = 'pending'), 0) AS pending,
    COALESCE((SELECT SUM(e.points) FROM points_entries AS e WHERE e.key = o.key
              AND e.customer_id = :customer_id AND e.account = 'owed'), 0) AS owed
FROM points_operations AS o
WHERE o.key IN (SELECT key FROM points_entries WHERE customer_id = :customer_id)
ORDER BY o.at DESC, CASE WHEN o.key LIKE '~%' THEN 1 ELSE 0 END, o.key DESC LIMIT :most
