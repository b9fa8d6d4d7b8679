-- name: identifiers_of
-- What too many share is nobody's.
SELECT namespace, value FROM identifiers
WHERE node IN (SELECT value FROM json_each(:ids)) AND is_shared = 0 ORDER BY node

-- name: addresses_of
SELECT address FROM contact_addresses WHERE customer_id IN (SELECT value FROM json_each(:ids))

-- name: values_of_others
SELECT value FROM identifiers
WHERE value IN (SELECT value FROM json_each(:asked))
  AND (node NOT IN (SELECT value FROM json_each(:ids)) OR is_shared = 1)
UNION
SELECT address AS value FROM contact_addresses
WHERE address IN (SELECT value FROM json_each(:asked))
  AND customer_id NOT IN (SELECT value FROM json_each(:ids))
UNION
SELECT i.address_token AS value FROM receipt_inbox i JOIN ledger l ON l.key = i.contact_key
WHERE i.address_token IN (SELECT value FROM json_each(:asked))
  AND l.customer_id NOT IN (SELECT value FROM json_each(:ids))
