-- name: identifiers_of
-- What too many share is nobody's.
SELECT namespace, value FROM identifiers
WHERE node IN (SELECT value FROM json_each(:ids)) AND is_shared = 0 ORDER BY node

-- name: addresses_of
SELECT address FROM contact_addresses WHERE customer_id IN (SELECT value FROM json_each(:ids))

-- name: tokens_of_others
SELECT value AS token FROM identifiers
WHERE value IN (SELECT value FROM json_each(:tokens))
  AND (node NOT IN (SELECT value FROM json_each(:ids)) OR is_shared = 1)
UNION
SELECT address AS token FROM contact_addresses
WHERE address IN (SELECT value FROM json_each(:tokens))
  AND customer_id NOT IN (SELECT value FROM json_each(:ids))
