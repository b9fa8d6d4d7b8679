-- name: said_lately
SELECT COUNT(*) AS words FROM consent_changes
WHERE customer_id = :customer_id AND source = :source AND noted_at > :since

-- name: age
SELECT born_on, has_guardian_consent FROM contact_facts WHERE customer_id = :customer_id
