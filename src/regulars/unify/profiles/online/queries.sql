-- name: position
select sequence from positions where log_partition = :log_partition

-- name: move
insert into positions (log_partition, sequence) values (:log_partition, :sequence)
on conflict (log_partition) do update set sequence = excluded.sequence

-- name: know_node
insert into nodes (name, updated_at) values (:name, :at)
on conflict (name) do update set updated_at = max(updated_at, excluded.updated_at)

-- name: nodes
select n.node, n.name, n.updated_at from json_each(:names) j join nodes n on n.name = j.value

-- name: add_activity
insert into activity (node, day, hours) values (:node, :day, :hours)
on conflict (node, day) do update set hours = hours | excluded.hours

-- name: add_events
insert into event_counts (node, day, name, events) values (:node, :day, :name, :events)
on conflict (node, day, name) do update set events = events + excluded.events

-- name: tell
insert into told (node, tag, said, rank, version) values (:node, :tag, :said, :rank, :version)
on conflict (node, tag) do update
set said = excluded.said, rank = excluded.rank, version = excluded.version
where (excluded.rank, excluded.version) > (told.rank, told.version)

-- name: add_version
insert into order_versions (version_id, order_id, voids, body)
values (:version_id, :order_id, :voids, :body) on conflict (version_id) do nothing

-- name: touched_orders
-- Orders a batch speaks of, also those whose version it declares an error.
select value as order_id from json_each(:order_ids)
union
select v.order_id from json_each(:voided) j join order_versions v on v.version_id = j.value
order by 1

-- name: versions
select v.order_id, v.version_id, v.body,
       exists (select 1 from order_versions w where w.voids = v.version_id) as is_voided
from json_each(:order_ids) j join order_versions v on v.order_id = j.value
order by v.order_id, v.version_id

-- name: drop_lines
delete from order_lines where number in (
    select number from orders
    where order_id in (select value from json_each(:order_ids)) and from_files <= :from_files
)

-- name: drop_orders
delete from orders
where order_id in (select value from json_each(:order_ids)) and from_files <= :from_files

-- name: add_order
-- An order told by messages stays as the messages tell it when files bring it too.
insert into orders (order_id, from_files, node, day, hour, store, paid, coupon)
select :order_id, :from_files, node, :day, :hour, :store, :paid, :coupon
from nodes where name = :name
on conflict (order_id) do nothing

-- name: add_line
insert into order_lines (number, line, product, quantity, sales, discounts, cost)
select number, :line, :product, :quantity, :sales, :discounts, :cost
from orders where order_id = :order_id and from_files = :from_files
on conflict (number, line) do nothing

-- name: drop_file_lines
delete from order_lines where number in (select number from orders where from_files = 1)

-- name: drop_file_orders
delete from orders where from_files = 1

-- name: drop_contacts
delete from contact_days

-- name: add_contacts
insert into contact_days (node, day, contacts, engaged)
select node, :day, :contacts, :engaged from nodes where name = :name

-- name: drop_products
delete from products

-- name: add_product
insert into products (product, category, brand, is_private_label, unit_cost)
values (:product, :category, :brand, :is_private_label, :unit_cost)

-- name: drop_members
delete from tag_members

-- name: add_member
insert into tag_members (node, tag, entered_on, is_member)
select node, :tag, :entered_on, :is_member from nodes where name = :name

-- name: picture
-- Everything a profile is read from, in one statement: one consistent picture, one round trip.
with n as (
    select n.node, n.updated_at from json_each(:names) j join nodes n on n.name = j.value
), o as (
    select number, day, hour, store, paid, coupon from orders
    where node in (select node from n) and day <= :as_of
)
select
    (select max(updated_at) from n) as updated_at,
    (select value from figures where name = 'population') as population,
    (select json_group_array(json_array(day, hours)) from activity
     where node in (select node from n) and day <= :as_of) as activity,
    (select json_group_array(json_array(day, name, events)) from event_counts
     where node in (select node from n) and day <= :as_of) as events,
    (select json_group_array(json_array(tag, said, rank, version)) from told
     where node in (select node from n)) as told,
    (select json_group_array(json_array(tag, entered_on, is_member)) from tag_members
     where node in (select node from n)) as turned,
    (select json_group_array(json_array(day, hour, store, paid, coupon)) from o) as orders,
    (select json_group_array(json_array(day, contacts, engaged)) from contact_days
     where node in (select node from n) and day <= :as_of) as contacts,
    (select json_group_array(json_array(
         o.day, l.product, coalesce(p.category, 'other'), p.brand, p.is_private_label,
         l.sales, l.discounts, coalesce(l.cost * 1000, p.unit_cost * l.quantity)))
     from o join order_lines l on l.number = o.number
     left join products p on p.product = l.product) as lines

-- name: spend_by_node
select n.name, sum(l.sales) as sales,
       sum(case when coalesce(l.cost, p.unit_cost) is null then 0 else l.sales end)
           as costed_sales,
       sum(coalesce(l.cost * 1000, p.unit_cost * l.quantity, 0)) as cost
from orders o join nodes n on n.node = o.node join order_lines l on l.number = o.number
left join products p on p.product = l.product
where o.day <= :as_of group by n.name order by n.name

-- name: first_order_day
select min(day) as day from orders where day <= :as_of

-- name: set_figure
insert into figures (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value
