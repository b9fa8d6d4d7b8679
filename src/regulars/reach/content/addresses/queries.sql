-- name: identified
-- Identifiers of one kind, the newest first: the one seen last is the one that is answered.
select i.customer_id, i.value from json_each(:customers) c
cross join identifiers i on i.customer_id = c.value
where i.namespace = :kind and i.is_shared = 0
order by i.customer_id, i.last_seen desc, i.ordinal desc

-- name: identified [postgresql]
select i.customer_id, i.value from identifiers i
where i.customer_id in (select json_array_elements_text(cast(:customers as json)))
  and i.namespace = :kind and i.is_shared = 0
order by i.customer_id, i.last_seen desc, i.ordinal desc

-- name: registered
select a.customer_id, a.address from json_each(:customers) c
cross join contact_addresses a on a.customer_id = c.value
where a.kind = :kind
order by a.customer_id, a.seen_at desc, a.address

-- name: registered [postgresql]
select a.customer_id, a.address from contact_addresses a
where a.customer_id in (select json_array_elements_text(cast(:customers as json)))
  and a.kind = :kind
order by a.customer_id, a.seen_at desc, a.address

-- name: register
insert into contact_addresses (customer_id, kind, address, seen_at, source)
values (:customer_id, :kind, :address, :seen_at, :source)
on conflict (customer_id, kind, address) do update
set seen_at = excluded.seen_at, source = excluded.source

-- name: wait_again
-- What somebody allowed whom nobody knew for a week: from now on the address is a customer's.
update receipt_inbox set standing = 'waiting', received_at = :seen_at
where standing = 'unknown' and provider_id = '' and kind = 'granted' and address_token = :address

-- name: forget
delete from contact_addresses
where customer_id = :customer_id and kind = :kind and address = :address
