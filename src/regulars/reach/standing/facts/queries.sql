-- name: set
INSERT INTO contact_facts (customer_id, zone, born_on, locale, has_guardian_consent)
VALUES (:customer_id, :zone, :born_on, :locale, :has_guardian_consent)
ON CONFLICT (customer_id) DO UPDATE SET
    zone = excluded.zone,
    born_on = excluded.born_on,
    locale = excluded.locale,
    has_guardian_consent = excluded.has_guardian_consent

-- name: adopt
-- Files say nothing of guardians: what is on file stays. What they leave out stays too.
INSERT INTO contact_facts (customer_id, zone, born_on, locale)
VALUES (:customer_id, :zone, :born_on, :locale)
ON CONFLICT (customer_id) DO UPDATE SET
    zone = COALESCE(excluded.zone, contact_facts.zone),
    born_on = COALESCE(excluded.born_on, contact_facts.born_on),
    locale = COALESCE(excluded.locale, contact_facts.locale)

-- name: known
SELECT customer_id, zone, born_on, locale FROM contact_facts
WHERE customer_id IN (SELECT value FROM json_each(:customers))

-- name: known [postgresql]
SELECT customer_id, zone, born_on, locale FROM contact_facts
WHERE customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: of_customer
SELECT customer_id, zone, born_on, locale, has_guardian_consent FROM contact_facts
WHERE customer_id = :customer_id
