-- name: campaign_names
SELECT c.campaign_id AS id, v.definition
FROM campaigns AS c
JOIN campaign_versions AS v ON v.campaign_id = c.campaign_id AND v.version = c.version
WHERE c.campaign_id IN (SELECT value FROM json_each(:ids))

-- name: campaign_names [postgresql]
SELECT c.campaign_id AS id, v.definition
FROM campaigns AS c
JOIN campaign_versions AS v ON v.campaign_id = c.campaign_id AND v.version = c.version
WHERE c.campaign_id IN (SELECT json_array_elements_text(CAST(:ids AS json)))

-- name: journey_names
SELECT j.journey_id AS id, v.definition
FROM journeys AS j
JOIN journey_versions AS v ON v.journey_no = j.journey_no
WHERE j.journey_id IN (SELECT value FROM json_each(:ids))
  AND v.version = (SELECT MAX(n.version) FROM journey_versions AS n
                   WHERE n.journey_no = j.journey_no)

-- name: journey_names [postgresql]
SELECT j.journey_id AS id, v.definition
FROM journeys AS j
JOIN journey_versions AS v ON v.journey_no = j.journey_no
WHERE j.journey_id IN (SELECT json_array_elements_text(CAST(:ids AS json)))
  AND v.version = (SELECT MAX(n.version) FROM journey_versions AS n
                   WHERE n.journey_no = j.journey_no)

-- name: offer_names
SELECT v.offer_id AS id, v.definition
FROM offer_versions AS v
WHERE v.offer_id IN (SELECT value FROM json_each(:ids))
  AND v.version = (SELECT MAX(n.version) FROM offer_versions AS n
                   WHERE n.offer_id = v.offer_id)

-- name: offer_names [postgresql]
SELECT v.offer_id AS id, v.definition
FROM offer_versions AS v
WHERE v.offer_id IN (SELECT json_array_elements_text(CAST(:ids AS json)))
  AND v.version = (SELECT MAX(n.version) FROM offer_versions AS n
                   WHERE n.offer_id = v.offer_id)
