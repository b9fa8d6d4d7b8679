"""Daily aggregates of a customer's facts, and the batch form of every fold over them."""

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
from ibis import _
from ibis.expr.types import IntegerValue, NumericValue, Table

from regulars.numerics.days import EPOCH, day_number
from regulars.unify.profiles.declared.folds import Fold
from regulars.unify.profiles.event_tables import event_days
from regulars.unify.profiles.local_time import local_seconds

UNKNOWN_CATEGORY = "other"


def daily_tables(facts: Mapping[str, Table], *, zone: str, as_of: date) -> dict[str, Table]:
    """Give every source folds grow from.

    Args:
        facts: Fact tables, `contacts`, and `events` with `customer_id`, by name.
        zone: IANA zone hours and contact days are told in.
        as_of: Last day read.

    Returns:
        Daily aggregates by the name folds know them under.
    """
    orders, lines, redemptions = facts["orders"], facts["order_lines"], facts["redemptions"]
    bought = line_days(lines, facts["products"], as_of=as_of)
    return {
        "order_days": order_days(orders, lines, redemptions, as_of=as_of),
        "line_days": bought,
        "brand_days": bought.filter(_.brand.notnull()).select(
            "customer_id", "day", "sales", key=_.brand
        ),
        "product_days": bought.select("customer_id", "day", "product", "purchases").distinct(),
        "contact_days": contact_days(
            facts["contacts"], facts["contact_outcomes"], redemptions, zone=zone, as_of=as_of
        ),
        "store_days": order_keys(orders, key="store", zone=zone, as_of=as_of),
        "hour_days": order_keys(orders, key="hour", zone=zone, as_of=as_of),
        "event_days": event_days(facts["events"], zone=zone, as_of=as_of),
    }


def order_days(orders: Table, order_lines: Table, redemptions: Table, *, as_of: date) -> Table:
    """Sum up the orders of each customer and day.

    An order counts as bought with a coupon when a line has a coupon discount or a redemption
    names it.

    Args:
        orders: Fact table.
        order_lines: Fact table.
        redemptions: Fact table.
        as_of: Last day read.

    Returns:
        One row per customer and day with an order: customer_id, day (number), order_day (1),
        orders, paid (in hundredths), weekend_orders, coupon_orders, gap (days since the
        order day before, empty on the first).
    """
    lines = order_lines.filter((_.business_date <= as_of) & (_.coupon_discount > 0))
    named = redemptions.filter((_.redeemed_on <= as_of) & _.order_id.notnull())
    couponed = lines.select("order_id").union(named.select("order_id")).distinct()
    couponed = couponed.select(couponed_id=_.order_id)
    day = _day(_.business_date)
    seen = orders.filter(_.business_date <= as_of)
    seen = seen.left_join(couponed, seen.order_id == couponed.couponed_id)
    seen = seen.select(
        "customer_id",
        day=day,
        paid=hundredths(_.total),
        weekend=((day + 3) % 7 >= 5).cast("int64"),
        coupon=_.couponed_id.notnull().cast("int64"),
    )
    days = seen.group_by("customer_id", "day").agg(
        orders=_.count(),
        paid=_.paid.sum(),
        weekend_orders=_.weekend.sum(),
        coupon_orders=_.coupon.sum(),
    )
    before = ibis.window(group_by=days.customer_id, order_by=days.day)
    return days.mutate(
        order_day=ibis.literal(1, type="int64"), gap=days.day - days.day.lag().over(before)
    )


def order_keys(orders: Table, *, key: str, zone: str, as_of: date) -> Table:
    """Tell the store, or the local hour, of each order.

    Args:
        orders: Fact table.
        key: "store" or "hour".
        zone: IANA zone the hours are told in.
        as_of: Last day read.

    Returns:
        One row per order that has the key: customer_id, day, key, orders (1).
    """
    seen = orders.filter(_.business_date <= as_of)
    if key == "store":
        seen = seen.filter(_.store_id.notnull()).mutate(key=_.store_id)
    else:
        seen = seen.mutate(key=_hour(seen, zone, as_of))
    return seen.select(
        "customer_id", "key", day=_day(_.business_date), orders=ibis.literal(1, type="int64")
    )


def line_days(order_lines: Table, products: Table, *, as_of: date) -> Table:
    """Tell what each order line says about money.

    The category is the product's middle group, or its department where it has none. The cost
    is the line's own; else the product's unit cost times the quantity.

    Args:
        order_lines: Fact table.
        products: Fact table.
        as_of: Last day read.

    Returns:
        One row per line: customer_id, day, key (category), product, brand, lines and purchases
        (1), sales, discounts, discounted_sales (sales at a discount), labelled_sales
        (sales where it is known whose brand it is), private_sales, costed_sales (sales whose
        cost is known), all in hundredths, and cost, in hundred-thousandths.
    """
    known = products.select(
        known_id=_.product_id,
        category=ibis.coalesce(_.category, _.department, UNKNOWN_CATEGORY),
        brand=_.brand,
        is_private_label=_.is_private_label,
        unit_cost=hundredths(_.unit_cost),
    )
    lines = order_lines.filter(_.business_date <= as_of)
    lines = lines.left_join(known, lines.product_id == known.known_id)
    cost = ibis.coalesce(hundredths(_.cost) * 1000, _.unit_cost * _thousandths(_.quantity))
    sales = hundredths(_.sales)
    nothing, one = ibis.literal(0, type="int64"), ibis.literal(1, type="int64")
    retail, coupon = hundredths(_.retail_discount), hundredths(_.coupon_discount)
    discounts = ibis.coalesce(retail, 0) + ibis.coalesce(coupon, 0)
    return lines.select(
        "customer_id",
        "brand",
        day=_day(_.business_date),
        key=ibis.coalesce(_.category, UNKNOWN_CATEGORY),
        product=_.product_id,
        purchases=one,
        lines=one,
        sales=sales,
        discounts=discounts,
        discounted_sales=(discounts > 0).ifelse(sales, nothing),
        labelled_sales=_.is_private_label.notnull().ifelse(sales, nothing),
        private_sales=ibis.coalesce(_.is_private_label, False).ifelse(sales, nothing),
        costed_sales=cost.notnull().ifelse(sales, nothing),
        cost=ibis.coalesce(cost, nothing),
    )


def contact_days(
    contacts: Table, contact_outcomes: Table, redemptions: Table, *, zone: str, as_of: date
) -> Table:
    """Tell each contact handed over, and the day it was first opened, clicked or redeemed.

    Args:
        contacts: One row per attempt; only those sent count.
        contact_outcomes: Fact table.
        redemptions: Fact table; a redemption answers the contacts of its campaign.
        zone: IANA zone a day is told in.
        as_of: Last day read.

    Returns:
        Rows of customer_id, day, contacts, engaged: one for the day a contact was handed
        over, one for the day it was first answered.
    """
    sent = contacts.filter((_.fate == "sent") & _.at.notnull())
    sent = sent.select(
        "key", "customer_id", "campaign_id", day=local_seconds(sent.at, zone, until=as_of) // 86_400
    )
    sent = sent.filter(_.day <= day_number(as_of))
    opened = contact_outcomes.filter(_.kind.isin(["opened", "clicked"]))
    opened = opened.select(
        key=_.contact_key,
        answered=local_seconds(opened.occurred_at, zone, until=as_of) // 86_400,
    )
    redeemed = redemptions.select(
        redeemer=_.customer_id, redeemed_campaign=_.campaign_id, answered=_day(_.redeemed_on)
    )
    redeemed = sent.inner_join(
        redeemed,
        (sent.customer_id == redeemed.redeemer)
        & (sent.campaign_id == redeemed.redeemed_campaign)
        & (redeemed.answered >= sent.day),
    ).select("key", "answered")
    answers = opened.union(redeemed).filter(_.answered <= day_number(as_of))
    first = answers.group_by("key").agg(answered=_.answered.min())
    answered = sent.inner_join(first, "key")
    one, none = ibis.literal(1, type="int64"), ibis.literal(0, type="int64")
    return sent.select("customer_id", "day", contacts=one, engaged=none).union(
        answered.select("customer_id", day=_.answered, contacts=none, engaged=one)
    )


def fold_days(days: Table, folds: Sequence[Fold], *, as_of: date) -> Table:
    """Run folds over daily aggregates: their batch form.

    Args:
        days: Daily aggregates, up to `as_of`.
        folds: Folds of that source.
        as_of: Last day read.

    Returns:
        One row per customer: customer_id and one column per fold.
    """
    number = day_number(as_of)
    return days.group_by("customer_id").agg(**{
        fold.name: fold.batch(days, number).cast("int64") for fold in folds
    })


def fold_keys(days: Table, fold: Fold, *, as_of: date) -> Table:
    """Run a keyed fold over daily aggregates: its batch form.

    Args:
        days: Daily aggregates with a key, up to the day looked from.
        fold: A keyed fold of that source.
        as_of: Last day read.

    Returns:
        One row per customer and key: customer_id, key, amount.
    """
    return days.group_by("customer_id", "key").agg(
        amount=fold.batch(days, day_number(as_of)).cast("int64")
    )


def known_customers(customers: Table, *, as_of: date) -> Table:
    """Choose the customers known as of a day.

    Args:
        customers: Fact table; without `joined_on` a customer counts as known.
        as_of: Last day read.

    Returns:
        One row per customer, in order of customer_id: what the file says, and joined_on.
    """
    known = customers.filter(customers.joined_on.isnull() | (customers.joined_on <= as_of))
    return known.select(
        "customer_id",
        "age_group",
        "income_group",
        "household_size",
        "kids_count",
        "home_ownership",
        "marital_status",
        "city",
        "gender",
        "joined_on",
    ).order_by("customer_id")


def hundredths(money: NumericValue) -> IntegerValue:
    """Give money as whole hundredths: integers add up the same in any order."""
    return (money.cast("float64") * 100).round().cast("int64")


def _thousandths(quantity: NumericValue) -> IntegerValue:
    return (quantity.cast("float64") * 1000).round().cast("int64")


def _day(column: ibis.Deferred) -> ibis.Deferred:
    return column.delta(ibis.date(EPOCH.year, EPOCH.month, EPOCH.day), unit="day")


def _hour(orders: Table, zone: str, as_of: date) -> IntegerValue:
    return local_seconds(orders.ordered_at, zone, until=as_of) % 86_400 // 3_600
