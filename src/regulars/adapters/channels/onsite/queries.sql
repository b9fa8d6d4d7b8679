-- name: make
create table if not exists waiting (
    key text primary key,
    customer_id text not null,
    slot text not null,
    said text not null,
    waits_from text not null,
    waits_until text not null,
    shown_at text
)

-- name: make_index
create index if not exists waiting_customer on waiting (customer_id, slot, waits_from)

-- name: put
insert into waiting (key, customer_id, slot, said, waits_from, waits_until)
values (:key, :customer_id, :slot, :said, :at, :until)
on conflict (key) do nothing

-- name: next
select key, said from waiting
where customer_id = :customer_id and slot = :slot and waits_from <= :at and waits_until > :at
  and shown_at is null
order by waits_from desc, key
limit :most

-- name: show
update waiting set shown_at = :at where key = :key and shown_at is null

-- name: known
select w.key from json_each(:keys) j join waiting w on w.key = j.value

-- name: forget
delete from waiting where waits_until <= :at

-- name: of_customers
select * from waiting where customer_id in (select value from json_each(:ids)) order by key

-- name: forget_customers
delete from waiting where customer_id in (select value from json_each(:ids))
