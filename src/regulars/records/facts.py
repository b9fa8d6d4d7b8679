"""The typed facts a retailer's files become: what happened, in the field's own words.

Names follow the Segment e-commerce spec, schema.org and GS1. Money is what the customer
really paid, after discounts, in the workspace's currency.
"""

from regulars.records.tables import Table, columns


def _fact(name: str, grain: str, key: str, subject: str, text: str) -> Table:
    return Table(name, "collect", grain, columns(text), tuple(key.split()), subject)


FACTS = (
    _fact(
        "customers",
        "one row per customer",
        "customer_id",
        "customer_id",
        """
        customer_id string! the retailer's own id of the customer
        name string?!! how the customer is called
        phone string?!! mobile number as given
        email string?!! e-mail address as given
        wechat_id string?!! WeChat openid or unionid
        city string?! where the customer lives
        gender string?! as given by the customer
        age_group string?! age band, such as 35-44
        income_group string?! household income band
        home_ownership string?! owner, renter...
        marital_status string?! as given
        household_size string?! people in the household
        household_composition string?! adults and children
        kids_count string?! children in the household
        joined_on date? first day as a member
        born_on date?! day of birth
        zone string?! IANA time zone he is in, when not the workspace's
        locale string?! language he reads, such as zh-CN
    """,
    ),
    _fact(
        "products",
        "one row per product",
        "product_id",
        "",
        """
        product_id string the retailer's own id of the product
        name string? how it is called
        brand string? brand or brand class
        is_private_label bool? true for the retailer's own brand
        department string? widest group
        category string? middle group
        product_type string? narrowest group
        package_size string? as printed
        manufacturer_id string? maker
        unit_cost money? what one unit costs the retailer
    """,
    ),
    _fact(
        "stores",
        "one row per store",
        "store_id",
        "",
        """
        store_id string the retailer's own id of the store
        name string? how it is called
        city string? where it stands
        zone string? IANA time zone, when not the workspace's
    """,
    ),
    _fact(
        "orders",
        "one row per order (a till receipt or an online order)",
        "order_id",
        "customer_id",
        """
        order_id string receipt or order number
        customer_id string! who bought
        store_id string? where
        ordered_at timestamp when, aware UTC
        business_date date the day in the workspace's zone
        total money what was paid, after discounts
    """,
    ),
    _fact(
        "order_lines",
        "one row per line of an order",
        "order_id line_id",
        "customer_id",
        """
        order_id string the order it belongs to
        line_id string line within the order
        customer_id string! who bought
        product_id string what
        business_date date the day in the workspace's zone
        quantity quantity units, > 0 (0 where the mapping accepts it)
        sales money paid for the line, after discounts
        retail_discount money? taken off for a loyalty or shelf price, >= 0
        coupon_discount money? taken off for coupons, >= 0
        cost money? what the goods cost the retailer
    """,
    ),
    _fact(
        "returns",
        "one row per returned line",
        "return_id",
        "customer_id",
        """
        return_id string number of the return
        order_id string? the order the goods came from
        customer_id string! who returned
        product_id string what
        business_date date the day in the workspace's zone
        quantity quantity units, > 0
        refund money paid back, >= 0
    """,
    ),
    _fact(
        "visits",
        "one row per visit of a store, a site or an app",
        "visit_id",
        "customer_id",
        """
        visit_id string number of the visit
        customer_id string?! who, by the strongest identifier seen; empty for a counter at a door
        store_id string? which store; empty on the web
        kind string web, store or door
        started_at timestamp first sign of it, aware UTC
        ended_at timestamp last sign of it, aware UTC
        business_date date the day it started in the workspace's zone
        visitors int64 people it counts: 1, or what a counter at a door counted
        source string where it was told
    """,
    ),
    _fact(
        "promotions",
        "one row per product, store and week on promotion",
        "product_id store_id week display_location mailer_location",
        "",
        """
        product_id string what is promoted
        store_id string where
        week int64 the retailer's week number
        display_location string? where it is displayed
        mailer_location string? where it stands in the mailer
    """,
    ),
    _fact(
        "campaigns",
        "one row per past campaign of the retailer",
        "campaign_id",
        "",
        """
        campaign_id string the retailer's own id
        kind string? type of campaign
        starts_on date? first day
        ends_on date? last day
    """,
    ),
    _fact(
        "campaign_members",
        "one row per campaign and customer it targeted",
        "campaign_id customer_id",
        "customer_id",
        """
        campaign_id string the campaign
        customer_id string! who was targeted (not randomised)
    """,
    ),
    _fact(
        "coupons",
        "one row per coupon and product it is good for",
        "coupon_id product_id campaign_id",
        "",
        """
        coupon_id string number of the coupon
        product_id string product it is good for
        campaign_id string campaign that gave it out
    """,
    ),
    _fact(
        "redemptions",
        "one row per redeemed coupon",
        "customer_id coupon_id campaign_id redeemed_on redemption_id",
        "customer_id",
        """
        redemption_id string number of the redemption; a constant when equal ones cannot happen
        customer_id string! who redeemed
        coupon_id string the coupon, or the offer
        campaign_id string? campaign or contact that gave it out
        redeemed_on date day of redemption
        order_id string? order it was redeemed in
        amount money? taken off
    """,
    ),
    _fact(
        "consents",
        "one row per change of consent",
        "customer_id purpose channel recorded_at status",
        "customer_id",
        """
        customer_id string! who
        purpose string what for: marketing, profiling, recommendations...
        channel string channel, or * for all
        status string granted, denied or withdrawn
        recorded_at timestamp when the customer said so
        notice_version string? the notice shown
        evidence string? how it can be proved
    """,
    ),
    _fact(
        "contact_outcomes",
        "one row per receipt about a contact",
        "contact_key kind occurred_at",
        "customer_id",
        """
        contact_key string key of the contact in the send ledger
        customer_id string! who was contacted
        kind string delivered, opened, clicked, bounced, complained or opted_out
        occurred_at timestamp when, aware UTC
    """,
    ),
    _fact(
        "offers",
        "one row per offer of the catalogue",
        "offer_id",
        "",
        """
        offer_id string the offer's id; also names its weekly campaign
        name string how marketers call it
        family string offers that work alike: news, percent_off, money_off...
        discount_share float64? share taken off one order, 0 to 1
        discount_amount money? money taken off one order
        min_order money? smallest order it is good for
        planned_cost money what finance sets aside per contact
        margin_floor float64 least share of an order's value left as margin, 0 to 1
        channels string? channels it may use, separated by spaces; empty means all
        stock int64? contacts it may be given in all; empty means unlimited
        starts_on date? first day it may be offered
        ends_on date? last day it may be offered
    """,
    ),
    Table(
        "imports",
        "collect",
        "one row per file and table it fed",
        columns("""
        import_id string hash of the file's bytes and its mapping
        file string file name
        table string fact table fed
        received int64 rows offered: the file's data rows, or its distinct keys
        stored int64 rows that landed
        duplicate int64 rows already stored by an earlier file
        quarantined int64 rows held back, each with a reason
        empty_share float64 share of optional cells that were empty
        first_day date? earliest day in the rows that landed
        last_day date? latest day in the rows that landed
    """),
        ("import_id", "table"),
    ),
    Table(
        "quarantine",
        "collect",
        "one row per refused row of a file",
        columns("""
        import_id string the import
        file string file name
        table string fact table it was meant for
        row int64 1 for the first data row
        column string? column at fault; empty when the whole row is
        reason string reason code
        value string?! the value at fault
        raw string?! the row as read
        row_id string?! the row's own id, when it could be read
    """),
        ("import_id", "table", "row"),
    ),
)
