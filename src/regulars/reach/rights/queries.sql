-- name: keys_of
-- Operations of his, and what moved his points.
SELECT key FROM points_operations WHERE customer_id IN (SELECT value FROM json_each(:ids))
    OR asked_as IN (SELECT value FROM json_each(:ids))
UNION
SELECT key FROM points_entries WHERE customer_id IN (SELECT value FROM json_each(:ids))
UNION
SELECT lot_id FROM points_lots WHERE customer_id IN (SELECT value FROM json_each(:ids))
    OR earned_as IN (SELECT value FROM json_each(:ids))
UNION
SELECT issue_key FROM coupon_codes
WHERE customer_id IN (SELECT value FROM json_each(:ids)) AND issue_key IS NOT NULL

-- name: keys_with
-- Whose key names him, such as that of a friend's referral.
SELECT key FROM points_operations WHERE REPLACE(key, :id, '') <> key
UNION
SELECT issue_key FROM coupon_codes
WHERE issue_key IS NOT NULL AND REPLACE(issue_key, :id, '') <> issue_key

-- name: void_codes
UPDATE coupon_codes SET state = 'void', reason = 'erased'
WHERE customer_id IN (SELECT value FROM json_each(:ids)) AND state IN ('reserved', 'issued')
    AND uses = 0

-- name: rename
UPDATE a_table SET a_column = value ->> 1
FROM json_each(:renamed) WHERE a_table.a_column = value ->> 0

-- name: rename [postgresql]
UPDATE a_table SET a_column = renamed.value ->> 1
FROM json_array_elements(CAST(:renamed AS json)) AS renamed (value)
WHERE a_table.a_column = renamed.value ->> 0
