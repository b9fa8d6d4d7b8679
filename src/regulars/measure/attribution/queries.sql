-- name: clicks
-- What people clicked on links of creators; programs are judged and left out.
select click_id, contact_key, at from link_clicks
where kind = 'click' and verdict = '' and contact_key like 'creator/%'
  and at >= :since and at < :until
order by at, click_id

-- name: codes
-- Orders on which a code was used and which were not taken back.
select order_id, code from coupon_redemptions
where reversed_at is null and code in (select value from json_each(:codes))
order by order_id, code

-- name: codes [postgresql]
select order_id, code from coupon_redemptions
where reversed_at is null and code in (select json_array_elements_text(cast(:codes as json)))
order by order_id, code
