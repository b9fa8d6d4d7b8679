-- name: keep_grant
-- In the inbox of receipts, where what a provider told stands too: kept once, counted once.
INSERT INTO receipt_inbox
    (provider, receipt_id, post_id, channel, kind, contact_key, provider_id, address_token, detail,
     is_permanent, is_scanner, occurred_at, received_at, standing)
VALUES
    (:channel, :receipt_id, '', :channel, 'granted', '', '', '', :said, 0, 0, :at, :at, 'counted')
ON CONFLICT (provider, receipt_id) DO NOTHING

-- name: said_in
SELECT detail FROM receipt_inbox WHERE provider = :channel AND receipt_id = :receipt_id
