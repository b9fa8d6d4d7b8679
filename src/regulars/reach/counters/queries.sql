-- name: pass_turnstile
-- Writers of SQLite wait for each other already.
SELECT 1 AS passed

-- name: pass_turnstile [postgresql]
-- One row per customer is locked until the end of the transaction, in one order for everybody:
-- whoever counts the contacts of a customer is alone with her.
INSERT INTO contact_turnstiles (customer_id, passed)
SELECT customer_id, 1
FROM (SELECT DISTINCT json_array_elements_text(CAST(:customers AS json)) AS customer_id) AS asked
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET passed = contact_turnstiles.passed + 1
RETURNING 1 AS passed

-- name: counted
SELECT json_group_array(json_array(
           c.key, c.at, c.channel, c.message_class, c.topic, c.sender, '', c.customer_id)) AS found
FROM json_each(:customers) AS asked
CROSS JOIN counted_contacts AS c ON c.customer_id = asked.value
WHERE c.at > :since

-- name: counted [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           c.key, c.at, c.channel, c.message_class, c.topic, c.sender, '', c.customer_id)), '[]')
       AS text) AS found
FROM counted_contacts AS c
WHERE c.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
  AND c.at > :since

-- name: grants
SELECT json_group_array(json_array(g.customer_id, g.channel, g.sender, g.granted - g.used)) AS found
FROM json_each(:customers) AS asked
CROSS JOIN contact_grants AS g ON g.customer_id = asked.value

-- name: grants [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           g.customer_id, g.channel, g.sender, g.granted - g.used)), '[]') AS text) AS found
FROM contact_grants AS g
WHERE g.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: add_grants
INSERT INTO contact_grants (customer_id, channel, sender, granted)
VALUES (:customer_id, :channel, :sender, :granted)
ON CONFLICT (customer_id, channel, sender) DO UPDATE
SET granted = contact_grants.granted + excluded.granted

-- name: use_grant
UPDATE contact_grants SET used = used + 1
WHERE customer_id = :customer_id AND channel = :channel AND sender = :sender AND used < granted

-- name: return_grant
UPDATE contact_grants SET used = used - 1
WHERE customer_id = :customer_id AND channel = :channel AND sender = :sender AND used > 0

-- name: stock
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL AND offer_id IN (SELECT value FROM json_each(:offers))
ORDER BY offer_id

-- name: stock [postgresql]
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL
  AND offer_id IN (SELECT json_array_elements_text(CAST(:offers AS json)))
ORDER BY offer_id

-- name: stock_to_claim
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL AND offer_id IN (SELECT value FROM json_each(:offers))
ORDER BY offer_id

-- name: stock_to_claim [postgresql]
-- Locked until the end of the transaction: nobody else gives the same offer meanwhile.
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL
  AND offer_id IN (SELECT json_array_elements_text(CAST(:offers AS json)))
ORDER BY offer_id FOR UPDATE

-- name: count
-- Contacts of one kind, as an object of customers by key: each is read once, not once a column.
INSERT INTO counted_contacts (customer_id, key, at, channel, message_class, topic, sender)
SELECT value, key, :at, :channel, :message_class, :topic, :sender
FROM json_each(:contacts) WHERE TRUE
ON CONFLICT (customer_id, key) DO UPDATE SET at = excluded.at

-- name: count [postgresql]
INSERT INTO counted_contacts (customer_id, key, at, channel, message_class, topic, sender)
SELECT value, key, :at, :channel, :message_class, :topic, :sender
FROM json_each_text(CAST(:contacts AS json))
ON CONFLICT (customer_id, key) DO UPDATE SET at = excluded.at

-- name: uncount
DELETE FROM counted_contacts
WHERE (customer_id, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:contacts))
RETURNING key

-- name: uncount [postgresql]
DELETE FROM counted_contacts
WHERE (customer_id, key) IN (
    SELECT value ->> 0, value ->> 1
    FROM json_array_elements(CAST(:contacts AS json)) AS contacts (value)
)
RETURNING key

-- name: take_stock
UPDATE offer_stock SET given = given + :taken
WHERE offer_id = :offer_id AND (stock IS NULL OR given + :taken <= stock)

-- name: has_stock
SELECT 1 AS known FROM offer_stock WHERE offer_id = :offer_id

-- name: return_stock
UPDATE offer_stock SET given = given - :returned
WHERE offer_id = :offer_id AND given >= :returned

-- name: given
SELECT offer_id, given FROM offer_stock ORDER BY offer_id
