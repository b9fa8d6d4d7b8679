"""Orders as messages tell them: every version kept, the current one read as a fact.

The tables `orders`, `order_lines`, `returns` and `redemptions` are read as the facts of files
together with the current versions kept here, `visits` together with the presences
(collect/commerce/tables.py).
"""

from regulars.records.tables import Table, columns

COMMERCE = (
    Table(
        "order_versions",
        "collect",
        "one row per message about an order",
        columns("""
        version_id string source and message id of the message
        order_id string receipt or order number
        status string placed, updated, cancelled, refunded or voided
        changed_at timestamp when the message says it happened, aware UTC
        source string the source whose write key came with it
        voids string? version this one declares an error; only with status voided
        customer_id string! whose order, by the strongest identifier of the message
        store_id string? where
        ordered_at timestamp when the order was placed as this message knows, aware UTC
        business_date date the day of changed_at in the workspace's zone
        total money? paid: lines, shipping and tax; of a refund what was paid back
        shipping money? shipping within total
        tax money? tax within total, on top of the lines
        discount money? taken off the whole order, spread over its lines
        coupon_id string? coupon the discount came from
        """),
        ("version_id",),
        "customer_id",
    ),
    Table(
        "order_version_lines",
        "collect",
        "one row per line of a message about an order: bought, or returned when it is a refund",
        columns("""
        version_id string the message
        order_id string the order
        line_id string line within the message
        customer_id string! whose order, by the strongest identifier of the message
        product_id string what
        quantity quantity units, > 0
        amount money paid for the line after discounts; paid back when it is a refund
        retail_discount money? taken off for a loyalty or shelf price, >= 0
        coupon_discount money? taken off for coupons, >= 0
        cost money? what the goods cost the retailer
        """),
        ("version_id", "line_id"),
        "customer_id",
    ),
    Table(
        "presences",
        "collect",
        "one row per stretch of signs of somebody within one batch of events",
        columns("""
        presence_id string source and message id of its first sign
        customer_id string?! who, by the strongest identifier; empty for a counter at a door
        kind string web, store or door
        store_id string? which store; empty on the web
        source string the source whose write key came with it
        started_at timestamp first sign, aware UTC
        ended_at timestamp last sign, aware UTC
        business_date date the day of the first sign in the workspace's zone
        visitors int64 people it counts: 1, or what a counter at a door counted
        """),
        ("presence_id",),
        "customer_id",
    ),
)
