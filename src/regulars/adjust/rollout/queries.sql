-- name: returns
SELECT COUNT(CASE WHEN l.state = 'sent' THEN 1 END) AS sent,
       COUNT(CASE WHEN l.state = 'failed' THEN 1 END) AS failed,
       COUNT(CASE WHEN l.state = 'unknown' THEN 1 END) AS unknown,
       COUNT(CASE WHEN l.state = 'sent' THEN s.bounced_at END) AS bounced,
       COUNT(CASE WHEN l.state = 'sent' THEN s.complained_at END) AS complained,
       COUNT(CASE WHEN l.state = 'sent' THEN s.opted_out_at END) AS opted_out,
       COUNT(CASE WHEN l.state = 'sent' AND s.bounced_at IS NULL THEN s.failed_at END)
           AS undelivered,
       MAX(l.settled_at) AS last_at
FROM ledger AS l
LEFT JOIN contact_states AS s ON s.contact_key = l.key
WHERE l.run_id = :run_id AND l.state IN ('sent', 'failed', 'unknown')

