-- name: facets
SELECT content_id, kind, value FROM content_facets ORDER BY content_id, kind, value

-- name: drop_facets
DELETE FROM content_facets WHERE content_id = :content_id AND kind = :kind

-- name: add_facet
INSERT INTO content_facets (content_id, kind, value, set_by, set_at)
VALUES (:content_id, :kind, :value, :set_by, :set_at)

-- name: reviews
-- What became of campaigns that send a version of a content: the definition names it.
SELECT v.definition, a.status, a.requested_at
FROM approval_requests AS a
JOIN campaign_versions AS v ON v.campaign_id = a.subject AND v.version = a.version
WHERE a.kind = 'campaign' ORDER BY a.requested_at, a.request_id
