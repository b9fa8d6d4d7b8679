-- name: campaign
SELECT c.*, v.definition, v.content_hash, v.edited_by, v.edited_at
FROM campaigns AS c
JOIN campaign_versions AS v ON v.campaign_id = c.campaign_id
    AND v.version = COALESCE(c.running_version, c.version)
WHERE c.campaign_id = :campaign_id

-- name: campaigns
SELECT c.*, v.definition, v.content_hash, v.edited_by, v.edited_at
FROM campaigns AS c
JOIN campaign_versions AS v ON v.campaign_id = c.campaign_id
    AND v.version = COALESCE(c.running_version, c.version)
ORDER BY c.changed_at DESC, c.campaign_id

-- name: ids
SELECT campaign_id FROM campaigns ORDER BY campaign_id

-- name: version
SELECT * FROM campaign_versions WHERE campaign_id = :campaign_id AND version = :version

-- name: versions
SELECT * FROM campaign_versions WHERE campaign_id = :campaign_id ORDER BY version

-- name: add_campaign
INSERT INTO campaigns
    (campaign_id, state, version, reason, created_by, created_at, changed_at)
VALUES (:campaign_id, 'draft', 1, '', :actor, :at, :at)

-- name: add_version
INSERT INTO campaign_versions
    (campaign_id, version, definition, content_hash, edited_by, edited_at)
VALUES (:campaign_id, :version, :definition, :content_hash, :actor, :at)

-- name: newest_version
UPDATE campaigns SET version = :version, changed_at = :at WHERE campaign_id = :campaign_id

-- name: move
UPDATE campaigns SET state = :after, reason = :reason, changed_at = :at
WHERE campaign_id = :campaign_id AND state = :before

-- name: add_list
INSERT INTO audience_lists (list_hash, customers, customer_ids)
VALUES (:list_hash, :customers, :customer_ids) ON CONFLICT (list_hash) DO NOTHING

-- name: list
SELECT customer_ids FROM audience_lists WHERE list_hash = :list_hash

-- name: next_task
SELECT COALESCE(MAX(task_id), 0) + 1 AS number FROM tasks

-- name: open_task
SELECT task_id FROM tasks WHERE kind = :kind AND subject = :subject AND done_at IS NULL

-- name: add_task
INSERT INTO tasks (task_id, kind, subject, message, created_at)
VALUES (:task_id, :kind, :subject, :message, :at)

-- name: tasks
SELECT * FROM tasks WHERE done_at IS NULL ORDER BY task_id

-- name: end_tasks
UPDATE tasks SET done_at = :at, done_by = :actor
WHERE kind = :kind AND subject = :subject AND done_at IS NULL

-- name: phases
SELECT * FROM campaign_phases WHERE campaign_id = :campaign_id ORDER BY position
