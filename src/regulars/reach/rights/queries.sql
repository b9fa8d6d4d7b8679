-- name: nodes_of
SELECT node FROM identifiers WHERE customer_id IN (SELECT value FROM json_each(:ids))

-- name: contact_keys
SELECT key FROM ledger WHERE customer_id IN (SELECT value FROM json_each(:ids))
UNION
SELECT contact_key AS key FROM contact_states
WHERE customer_id IN (SELECT value FROM json_each(:ids))

-- name: pending_words
SELECT word_id, word FROM consent_pending

-- name: audience_lists
SELECT list_hash, customer_ids FROM audience_lists

-- name: skip_contacts
-- What was not handed over never is.
UPDATE ledger
SET state = 'skipped', reason = 'suppressed', settled_at = :at, next_at = NULL, hold_until = NULL
WHERE customer_id IN (SELECT value FROM json_each(:ids))
  AND (state = 'planned' OR (state = 'deferred' AND next_at IS NOT NULL))

-- name: points_keys
-- Operations of his, his lots, and what others got for bringing him, whose key names him.
SELECT key FROM points_operations WHERE customer_id IN (SELECT value FROM json_each(:ids))
    OR asked_as IN (SELECT value FROM json_each(:ids))
UNION
SELECT lot_id AS key FROM points_lots WHERE customer_id IN (SELECT value FROM json_each(:ids))
    OR earned_as IN (SELECT value FROM json_each(:ids))
UNION
SELECT key FROM points_operations WHERE reference IN (SELECT value FROM json_each(:ids))
    AND reason = 'referral'
    AND key IN ('referral/' || reference || '/referrer', 'referral/' || reference || '/friend')

-- name: issue_keys
SELECT issue_key AS key FROM coupon_codes
WHERE customer_id IN (SELECT value FROM json_each(:ids)) AND issue_key IS NOT NULL

-- name: name_elsewhere
-- Operations of others whose reference is a customer: brought by them, or points moved to him.
-- Before keys are renamed: their form tells these from what people write.
UPDATE points_operations SET reference = :new WHERE reference = :old AND (
    kind = 'move'
    OR reason = 'referral'
    AND key IN ('referral/' || reference || '/referrer', 'referral/' || reference || '/friend')
)

-- name: void_codes
UPDATE coupon_codes SET state = 'void', reason = 'erased'
WHERE customer_id IN (SELECT value FROM json_each(:ids)) AND state IN ('reserved', 'issued')
    AND uses = 0

-- name: rename
-- A pattern: the table and the column stand for those declared.
UPDATE points_lots SET lot_id = value ->> 1
FROM json_each(:renamed) WHERE points_lots.lot_id = value ->> 0

-- name: rename [postgresql]
UPDATE points_lots SET lot_id = renamed.value ->> 1
FROM json_array_elements(CAST(:renamed AS json)) AS renamed (value)
WHERE points_lots.lot_id = renamed.value ->> 0
