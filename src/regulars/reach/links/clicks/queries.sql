-- name: destination
select url from link_destinations where destination_id = :destination_id

-- name: short
select token from short_links where code = :code

-- name: add_click
insert into link_clicks (
    click_id, contact_key, kind, destination_id, at, method, agent, address, is_prefetch
) values (
    :click_id, :contact_key, :kind, :destination_id, :at, :method, :agent, :address, :is_prefetch
)

-- name: batch
select coalesce(max(batch), 0) as batch from link_clicks

-- name: last_settled
select value from watermarks where name = 'links/settled'

-- name: move_settled
insert into watermarks (name, value) values ('links/settled', :value)
on conflict (name) do update set value = excluded.value

-- name: unsettled
-- Every request of the contacts that have one old enough to be judged.
select c.* from link_clicks c where c.contact_key in (
    select contact_key from link_clicks where batch is null and at <= :until
) order by c.contact_key, c.at, c.click_id

-- name: of_creators
-- Every request for a creator's link within a time; the bounds are those of creator/...
select * from link_clicks
where contact_key >= 'creator/' and contact_key < 'creator0' and at >= :since and at <= :until
order by at, click_id

-- name: of_creators [postgresql]
select * from link_clicks
where contact_key like 'creator/%' and at >= :since and at <= :until
order by at, click_id

-- name: settle
update link_clicks set verdict = :verdict, batch = :batch where click_id = :click_id

-- name: counted
-- What counts of one batch: the first click, and the first open, of each contact and moment.
select distinct l.customer_id, c.contact_key, c.kind, c.at
from link_clicks c join ledger l on l.key = c.contact_key
where c.batch = :batch and c.verdict = '' and c.kind in ('click', 'open')
order by c.contact_key, c.kind, c.at

-- name: handed_over
select key, at from ledger where key in (select value from json_each(:keys))

-- name: handed_over [postgresql]
select key, at from ledger
where key in (select json_array_elements_text(cast(:keys as json)))

-- name: by_destination
select c.destination_id, coalesce(d.url, '') as url,
       count(*) as requests,
       sum(case when c.verdict = '' then 1 else 0 end) as clicks,
       count(distinct case when c.verdict = '' then c.contact_key end) as contacts
from link_clicks c left join link_destinations d on d.destination_id = c.destination_id
where c.kind = 'click'
group by c.destination_id, d.url order by clicks desc, requests desc, c.destination_id

-- name: by_verdict
select coalesce(verdict, 'not judged yet') as verdict, kind, count(*) as requests
from link_clicks group by verdict, kind order by kind, verdict
