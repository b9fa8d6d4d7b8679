-- name: nodes
-- A node is the customer id an event's strongest identifier stands for. A customer is one node
-- or several; they are joined when read, so a merge or an unmerge rewrites nothing here.
create table if not exists nodes (
    node integer primary key, name text not null unique, updated_at integer not null default 0
)

-- name: positions
create table if not exists positions (log_partition integer primary key, sequence integer not null)

-- name: activity
-- Local hours with something done, as bits.
create table if not exists activity (
    node integer, day integer, hours integer not null, primary key (node, day)
) without rowid

-- name: event_counts
create table if not exists event_counts (
    node integer, day integer, name text, events integer not null, primary key (node, day, name)
) without rowid

-- name: told
create table if not exists told (
    node integer, tag text, said text not null, rank integer not null, version text not null,
    primary key (node, tag)
) without rowid

-- name: order_versions
create table if not exists order_versions (
    version_id text primary key, order_id text not null, voids text, body text not null
)

-- name: order_versions_by_order
create index if not exists order_versions_by_order on order_versions (order_id)

-- name: order_versions_by_voids
create index if not exists order_versions_by_voids on order_versions (voids) where voids is not null

-- name: orders
create table if not exists orders (
    number integer primary key, order_id text not null unique, from_files integer not null,
    node integer not null, day integer not null, hour integer, store text,
    paid integer not null, coupon integer not null
)

-- name: orders_by_node
create index if not exists orders_by_node on orders (node, day)

-- name: order_lines
create table if not exists order_lines (
    number integer, line integer, product text not null, quantity integer not null,
    sales integer not null, discounts integer not null, cost integer, primary key (number, line)
) without rowid

-- name: contact_days
create table if not exists contact_days (
    node integer, day integer, contacts integer not null, engaged integer not null,
    primary key (node, day)
) without rowid

-- name: products
create table if not exists products (
    product text primary key, category text, brand text, is_private_label integer,
    unit_cost integer
) without rowid

-- name: tag_members
-- As the newest turn wrote them.
create table if not exists tag_members (
    node integer, tag text, entered_on text not null, is_member integer not null,
    primary key (node, tag)
) without rowid

-- name: figures
create table if not exists figures (name text primary key, value text not null)
