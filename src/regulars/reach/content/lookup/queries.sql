-- name: agreed
-- Customers who said yes to what sensitive fields need.
select distinct customer_id from consents
where purpose = :purpose and status = 'granted'
  and customer_id in (select value from json_each(:customers))

-- name: agreed [postgresql]
select distinct customer_id from consents
where purpose = :purpose and status = 'granted'
  and customer_id in (select json_array_elements_text(cast(:customers as json)))
