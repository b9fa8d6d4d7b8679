"""The same orders told three ways: as Segment events, as EPCIS documents and as files of a till.

The amounts of a line are worked out here by fractions, apart from the code under test.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 1, 1, tzinfo=UTC)
CENT = Decimal("0.01")
ZERO = Decimal("0.00")
FATES = ("plain", "updated", "cancelled", "refunded", "refunded_lines")
WEIGHTS = (80, 6, 4, 4, 6)


@dataclass
class Line:
    product_id: str
    quantity: Decimal
    price: Decimal
    discount: Decimal
    paid: Decimal = ZERO
    coupon_discount: Decimal = ZERO


@dataclass
class Order:
    order_id: str
    customer_id: str
    store_id: str
    at: datetime
    shipping: Decimal
    tax: Decimal
    coupon: Decimal
    lines: list[Line]
    fate: str = "plain"
    first_lines: list[Line] = field(default_factory=list)
    returned: list[tuple[str, Line, Decimal, Decimal]] = field(default_factory=list)
    returned_at: datetime | None = None

    @property
    def total(self):
        return sum((line.paid for line in self.lines), self.shipping + self.tax)

    @property
    def day(self):
        return self.at.astimezone(ZONE).date()

    @property
    def coupon_id(self):
        return f"K{int(self.coupon * 100)}" if self.coupon else None


def half_up_share(amount, part, whole):
    """Round amount * part / whole to the cent, halves up."""
    exact = Fraction(amount) * part / whole * 100 + Fraction(1, 2)
    return Decimal(exact.numerator // exact.denominator).scaleb(-2)


def shares(amount, weights):
    """The parts of an amount, as differences of rounded running totals."""
    whole = sum(map(Fraction, weights))
    until, before, found = Fraction(0), ZERO, []
    for weight in weights:
        until += Fraction(weight)
        after = half_up_share(amount, until, whole)
        found.append(after - before)
        before = after
    return found


def gtin(number):
    digits = f"69{number:010d}"
    odd_even = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return f"{digits}{-odd_even % 10}"


def new_lines(rng):
    found = []
    for product in rng.sample(range(400), rng.randint(1, 5)):
        weighed = rng.random() < 0.1
        quantity = (
            Decimal(rng.randint(50, 3000)).scaleb(-3) if weighed else Decimal(rng.randint(1, 4))
        )
        price = Decimal(rng.randint(99, 9999)).scaleb(-2)
        gross = (price * quantity).quantize(CENT)
        off = (gross * Decimal(rng.randint(0, 30)) / 100).quantize(CENT, ROUND_FLOOR)
        discount = off if rng.random() < 0.3 else ZERO
        found.append(Line(gtin(product), quantity, price, discount, gross - discount))
    return found


def make_orders(number, seed=7):
    """Draw orders, each ending in one fate."""
    rng = random.Random(seed)
    found = []
    for at in range(number):
        lines = new_lines(rng)
        gross = sum(line.paid for line in lines)
        coupon = min(Decimal(500).scaleb(-2), gross) if rng.random() < 0.2 else ZERO
        if coupon:
            for line, part in zip(lines, shares(coupon, [x.paid for x in lines]), strict=True):
                line.paid, line.coupon_discount = line.paid - part, part
        is_online = rng.random() < 0.3
        order = Order(
            f"R{at:08d}",
            f"c{rng.randrange(max(number // 5, 1)):06d}",
            f"s{rng.randrange(9)}",
            START + timedelta(minutes=7 * at, seconds=rng.randrange(400)),
            Decimal(rng.choice((0, 600, 1200))).scaleb(-2) if is_online else ZERO,
            Decimal(rng.randrange(300)).scaleb(-2) if is_online else ZERO,
            coupon,
            lines,
            rng.choices(FATES, WEIGHTS)[0],
        )
        settle(order, rng)
        found.append(order)
    return found


def settle(order, rng):
    if order.fate == "updated":
        order.first_lines = new_lines(rng)
    if order.fate.startswith("refunded"):
        order.returned_at = order.at + timedelta(days=rng.randint(1, 9), minutes=rng.randrange(600))
    if order.fate == "refunded":
        order.returned = [
            (f"{order.order_id}-{n}", line, line.quantity, line.paid)
            for n, line in enumerate(order.lines, 1)
        ]
    if order.fate == "refunded_lines":
        line = rng.choice(order.lines)
        order.returned = [(f"B{order.order_id}-1", line, line.quantity, line.paid)]


# --- Segment ---------------------------------------------------------------------------------


def segment_messages(orders):
    """Track events of the V2 e-commerce spec; amounts as JSON numbers, as SDKs send them."""
    found = []
    for order in orders:
        base = {"order_id": order.order_id, "store_id": order.store_id, "currency": "CNY"}
        if order.fate == "updated":
            first = {"products": [said(line) for line in order.first_lines], "revenue": None}
            found.append(track(order, "Order Completed", order.at, base | first, "a"))
        whole = base | {
            "products": [said(line) for line in order.lines],
            "shipping": float(order.shipping),
            "tax": float(order.tax),
            "discount": float(order.coupon),
            "coupon": order.coupon_id,
            "total": float(order.total),
        }
        late = order.fate == "updated"
        words, at = (
            ("Order Updated", order.at + timedelta(minutes=5))
            if late
            else ("Order Completed", order.at)
        )
        found.append(track(order, words, at, whole, "b"))
        if order.fate == "cancelled":
            at = order.at + timedelta(hours=2)
            found.append(track(order, "Order Cancelled", at, {"order_id": order.order_id}, "c"))
        if order.fate == "refunded":
            found.append(
                track(order, "Order Refunded", order.returned_at, {"order_id": order.order_id}, "d")
            )
        if order.fate == "refunded_lines":
            parts = [
                {
                    "product_id": line.product_id,
                    "quantity": float(quantity),
                    "price": float(line.price),
                }
                for _, line, quantity, _ in order.returned
            ]
            total = float(sum(refund for *_, refund in order.returned))
            back = base | {"products": parts, "total": total, "return_id": f"B{order.order_id}"}
            found.append(track(order, "Order Refunded", order.returned_at, back, "d"))
    return found


def said(line):
    return {
        "product_id": line.product_id,
        "price": float(line.price),
        "quantity": float(line.quantity),
        "discount": float(line.discount),
    }


def track(order, words, at, properties, part):
    return {
        "type": "track",
        "event": words,
        "messageId": f"{order.order_id}-{part}",
        "userId": order.customer_id,
        "timestamp": at.isoformat(),
        "properties": properties,
    }


# --- EPCIS -----------------------------------------------------------------------------------


def epcis_document(orders):
    """One EPCIS 2.0 document; a change is an error declaration and a corrective event."""
    events = []
    for order in orders:
        if order.fate == "updated":
            wrong = sale(order, order.first_lines, "a")
            events += [wrong, declared_wrong(wrong, order.at + timedelta(minutes=5))]
        right = sale(order, order.lines, "b")
        events.append(right)
        if order.fate == "cancelled":
            events.append(declared_wrong(right, order.at + timedelta(hours=2)))
        if order.returned_at:
            events.append(goods_back(order))
    return json.dumps({
        "@context": [
            "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            {"shop": "urn:shop"},
        ],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": START.isoformat(),
        "epcisBody": {"eventList": events},
    })


def sale(order, lines, part):
    return {
        "type": "TransactionEvent" if part == "b" else "ObjectEvent",
        "eventID": f"urn:uuid:{order.order_id}-{part}",
        "eventTime": order.at.isoformat(),
        "eventTimeZoneOffset": "+08:00",
        "action": "DELETE",
        "bizStep": "retail_selling",
        "disposition": "retail_sold",
        "bizLocation": {"id": "urn:epc:id:sgln:0614141.12345.400"},
        "quantityList": [
            {
                "epcClass": f"https://id.gs1.org/01/0{line.product_id}",
                "quantity": float(line.quantity),
            }
            for line in lines
        ],
        "bizTransactionList": [
            {
                "type": "inv",
                "bizTransaction": f"urn:epcglobal:cbv:bt:0614141123452:{order.order_id}",
            }
        ],
        "shop:customerID": order.customer_id,
        "shop:storeID": order.store_id,
        "shop:total": str(sum((line.paid for line in lines), order.shipping + order.tax)),
        "shop:shipping": str(order.shipping),
        "shop:tax": str(order.tax),
        "shop:saleLines": [
            {
                "shop:total": str(line.paid),
                "shop:discount": str(line.discount),
                "shop:couponDiscount": str(line.coupon_discount) if order.coupon else None,
            }
            for line in lines
        ],
    }


def declared_wrong(event, at):
    return event | {
        "errorDeclaration": {"declarationTime": at.isoformat(), "reason": "incorrect_data"}
    }


def goods_back(order):
    event = sale(order, [], "d") | {
        "eventTime": order.returned_at.isoformat(),
        "bizStep": "receiving",
        "disposition": "returned",
        "quantityList": [],
        "shop:total": str(sum(refund for *_, refund in order.returned)),
        "shop:returnID": f"B{order.order_id}",
        "shop:saleLines": [],
    }
    if order.fate == "refunded_lines":
        event["quantityList"] = [
            {
                "epcClass": f"https://id.gs1.org/01/0{line.product_id}",
                "quantity": float(quantity),
                "shop:total": str(refund),
            }
            for _, line, quantity, refund in order.returned
        ]
    return event


# --- the till's files ------------------------------------------------------------------------

MAPPING = """
[[file]]
match = "till*.csv"

[file.order_lines]
order_id = "receipt"
line_id = "line"
customer_id = "member"
product_id = "ean"
business_date = { column = "time", format = "%Y-%m-%d %H:%M:%S" }
quantity = "units"
sales = "paid"
retail_discount = "off"
coupon_discount = "coupon_off"

[file.orders]
one_per_key = true
order_id = "receipt"
customer_id = "member"
store_id = "shop"
ordered_at = { column = "time", format = "%Y-%m-%d %H:%M:%S" }
business_date = { column = "time", format = "%Y-%m-%d %H:%M:%S" }
total = { add = ["paid", "shipping", "tax"], fold = "sum" }

[[file]]
match = "back*.csv"

[file.returns]
return_id = "number"
order_id = "receipt"
customer_id = "member"
product_id = "ean"
business_date = "day"
quantity = "units"
refund = "paid_back"
"""


def write_till(orders, folder):
    """Files as a till exports them: what stood in the end, times local."""
    till = ["receipt,line,member,shop,time,ean,units,paid,off,coupon_off,shipping,tax"]
    back = ["number,receipt,member,ean,day,units,paid_back"]
    for order in orders:
        if order.fate == "cancelled":
            continue
        time = order.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
        for n, line in enumerate(order.lines, 1):
            extra = f"{order.shipping},{order.tax}" if n == 1 else "0,0"
            coupon = line.coupon_discount if order.coupon else ""
            till.append(
                f"{order.order_id},{n},{order.customer_id},{order.store_id},{time},{line.product_id},"
                f"{line.quantity},{line.paid},{line.discount},{coupon},{extra}"
            )
        for number, line, quantity, refund in order.returned:
            day = order.returned_at.astimezone(ZONE).date()
            back.append(
                f"{number},{order.order_id},{order.customer_id},{line.product_id},{day},{quantity},{refund}"
            )
    (folder / "till.csv").write_text("\n".join(till) + "\n", encoding="utf-8")
    (folder / "back.csv").write_text("\n".join(back) + "\n", encoding="utf-8")
