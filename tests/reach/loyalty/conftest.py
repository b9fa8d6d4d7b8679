"""A workspace with orders, and a programme whose rules a test may change."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import cast_to
from regulars.app import open_app
from regulars.reach.loyalty.badges.step import give_badges
from regulars.reach.loyalty.earning.step import earn_points
from regulars.reach.loyalty.ledger.service import balance
from regulars.reach.loyalty.programme.service import keep_programme
from regulars.reach.loyalty.referrals.step import pay_referrals
from regulars.reach.loyalty.tiers.step import review_tiers
from regulars.records import TABLES

ZONE = "Asia/Shanghai"
RULES = """
name = "回头客积分"
starts_on = 2026-01-01
point_value = "0.01"
"""
NEUTRAL = {
    "string": "",
    "int64": 0,
    "float64": 0.0,
    "bool": False,
    "money": Decimal(0),
    "quantity": Decimal(1),
    "date": date(2026, 1, 1),
}


def moment(day, hour=4):
    return datetime(2026, 1, 1, hour, tzinfo=UTC).replace(
        month=day.month, day=day.day, year=day.year
    )


class Retailer:
    """A workspace told of orders day by day."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        (folder / "regulars.toml").write_text(
            f'[retailer]\nname = "shop"\ncurrency = "CNY"\nzone = "{ZONE}"\n', encoding="utf-8"
        )
        self.app = open_app(folder, workers=1)
        self.state = self.app.state
        self._puts = 0

    def all(self, sql, **values):
        with self.state.reading() as opened:
            return opened.all(sql, **values)

    def put(self, name, *rows, turn=None):
        self._puts += 1
        table = TABLES[name]
        told = [c for c in table.columns if c.name != "turn"]
        data = pa.table({
            c.name: pa.array([
                row.get(c.name, NEUTRAL.get(c.type) if c.required else None) for row in rows
            ])
            for c in told
        })
        if turn is None:
            self.app.lake.append(name, cast_to(table, data), application=f"test {self._puts}")
        else:
            self.app.lake.overwrite_turn(
                name, cast_to(table, data, turn=turn), application="test", turn=turn
            )

    def order(self, order_id, customer, day, *paid):
        """An order with one line per amount, or per (product, amount)."""
        lines = [one if isinstance(one, tuple) else ("p0", one) for one in paid]
        about = {"order_id": order_id, "customer_id": customer, "business_date": day}
        total = sum(Decimal(str(amount)) for _, amount in lines)
        self.put("orders", about | {"ordered_at": moment(day), "total": total})
        self.put(
            "order_lines",
            *(
                about | {"line_id": str(n), "product_id": product, "sales": Decimal(str(amount))}
                for n, (product, amount) in enumerate(lines)
            ),
        )

    def returns(self, return_id, order_id, customer, day, amount, product="p0"):
        self.put(
            "returns",
            {
                "return_id": return_id,
                "order_id": order_id,
                "customer_id": customer,
                "product_id": product,
                "business_date": day,
                "refund": Decimal(str(amount)),
            },
        )

    def rules(self, more="", *, base=RULES):
        return keep_programme(self.state, base + more, actor="test", now=moment(date(2026, 1, 1)))

    def _bound(self, step):
        return self.app.bound(step, 1)

    def earns(self, day):
        return earn_points.run(
            self._bound(earn_points), self.state, as_of=day, now=moment(day), zone=ZONE
        )

    def reviews(self, day, aliases=None):
        return review_tiers.run(
            self._bound(review_tiers), self.state, as_of=day, aliases=aliases or {}
        )

    def refers(self, day):
        step = pay_referrals
        return step.run(
            self._bound(step), self.state, as_of=day, now=moment(day), zone=ZONE, aliases={}
        )

    def gives_badges(self, day):
        step = give_badges
        return step.run(
            self._bound(step), self.state, as_of=day, now=moment(day), zone=ZONE, aliases={}
        )

    def has(self, customer, day):
        found = balance(self.state, customer, now=moment(day))
        return (found.active, found.pending, found.owed)


@pytest.fixture
def retailer(tmp_path):
    made = Retailer(tmp_path / "shop")
    yield made
    made.state.close()
