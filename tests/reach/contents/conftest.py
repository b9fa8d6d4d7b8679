"""A workspace whose customers can be written to: a real lake, a real state, a real vault."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.serve.conftest import put

from regulars.app import open_app
from regulars.ports.channels import Contact
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import Composer, Tools, preview, put_content

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
SETTINGS = """
[retailer]
name = "街角超市"
currency = "CNY"
zone = "Asia/Shanghai"
locale = "zh-CN"
[links]
base_url = "https://go.shop.example"
utm_source = "jiejiao"
[messages]
postal_address = "上海市淮海中路1号"
[channels.email]
via = "email"
[channels.sms]
via = "aliyun_sms"
sender = "街角超市"
[channels.push]
via = "fcm"
"""


class ContentShop:
    """Customers ann (English), bao (Chinese), chu (no profile, no address)."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        (folder / "regulars.toml").write_text(SETTINGS, encoding="utf-8")
        self.app = open_app(folder, workers=1)
        self.state = self.app.state
        self._facts()

    def _facts(self):
        people = [
            ("ann", "Ann Lee", "ann@example.com", "13800130001"),
            ("bao", "王小宝", "bao@example.com", "13800130002"),
        ]
        put(self.app, "customers", [
            {"customer_id": c, "name": n, "email": e, "phone": p} for c, n, e, p in people
        ])  # fmt: skip
        common = {"as_of": date(2026, 3, 1), "margin_rate": 0.25, "monetary": Decimal("265.50")}
        put(self.app, "profiles", [
            {"customer_id": "ann", "language": "en-GB", "city": "Leeds", "orders": 3,
             "favourite_category": "tea", "income_group": "high", "favourite_store": "s1"} | common,
            {"customer_id": "bao", "city": "上海", "orders": 12, "favourite_category": "tea",
             "income_group": "low"} | common,
        ], turn=2)  # fmt: skip
        put(self.app, "profiles", [{"customer_id": "ann", "city": "York"} | common], turn=1)
        put(self.app, "tag_members", [
            {"tag": "VIP", "customer_id": "bao", "version": 1, "entered_on": date(2026, 1, 1),
             "is_member": True},
            {"tag": "gone", "customer_id": "bao", "version": 1, "entered_on": date(2026, 1, 1),
             "is_member": False},
        ], turn=2)  # fmt: skip
        put(self.app, "stores", [{"store_id": "s1", "name": "外滩店", "city": "上海"}])
        put(self.app, "offers", [
            {"offer_id": "off10", "name": "九折券", "family": "percent_off", "discount_share": 0.1,
             "planned_cost": Decimal(1), "margin_floor": 0.1, "ends_on": date(2026, 3, 31)},
        ])  # fmt: skip
        self._goods()

    def _goods(self):
        goods = [("p1", "龙井"), ("p2", "碧螺春"), ("p3", "毛峰"), ("p4", "白茶")]
        put(self.app, "products", [
            {"product_id": p, "name": n, "brand": "春", "category": "tea"} for p, n in goods
        ])  # fmt: skip
        put(self.app, "stock_levels", [
            {"product_id": p, "store_id": s, "counted_at": datetime(2026, 2, d, tzinfo=UTC),
             "quantity": Decimal(q), "price": Decimal(price)}
            for p, s, d, q, price in (
                ("p1", "s1", 1, 9, "99.00"), ("p1", "s1", 20, 4, "88.00"), ("p1", "s2", 5, 3, "90.00"),
                ("p2", "s1", 20, 0, "66.00"), ("p3", "s1", 20, 5, "55.50"),
            )
        ])  # fmt: skip
        lines = [
            ("o1", "ann", "p1"), ("o2", "ann", "p1"), ("o3", "ann", "p3"), ("o4", "bao", "p2"),
            ("o5", "bao", "p2"), ("o6", "bao", "p1"), ("o7", "dan", "p2"),
        ]  # fmt: skip
        put(self.app, "order_lines", [
            {"order_id": o, "line_id": "1", "customer_id": c, "product_id": p,
             "business_date": date(2026, 2, 10), "sales": Decimal(50)}
            for o, c, p in lines
        ])  # fmt: skip

    def tools(self, **settings):
        app = self.app
        changed = replace(app.settings, **settings)
        links = app.links
        if "links" in settings:
            links = type(links)(bytes(range(32)), base_url=changed.links.base_url)
        return Tools(app.state, app.protector, changed, links, app.engine)

    def composer(self, *, review=None, recommend=None, **settings):
        tools = self.tools(**settings)
        return Composer(
            tools.state, tools.protector, tools.settings, tools.links,
            reader=tools.reader, review_rendered=review, recommend=recommend,
        )  # fmt: skip

    def keeps(self, content):
        return put_content(self.state, content, actor="test", at=NOW)

    def writes(self, *, channel="email", message_class="marketing", **parts):
        """Keep a content of one variant, or of several."""
        names = {"subject", "text", "html", "mjml", "template", "parameters", "link"}
        variant = {name: parts.pop(name) for name in names & parts.keys()}
        variants = parts.pop("variants", None) or {"zh-CN": Variant(**variant)}
        parts = {"id": "spring", "uses": ()} | parts
        return self.keeps(Content(channel=channel, message_class=message_class,
                                  variants=variants, **parts))  # fmt: skip

    def contact(self, customer, content, *, channel="email", **parts):
        parts = {"key": f"{customer:0<32}"[:32].encode().hex()[:32], "campaign_id": "spring-26",
                 "offer_id": "off10", "cost": Decimal(0), "at": NOW} | parts  # fmt: skip
        return Contact(customer_id=customer, channel=channel, content=content, **parts)

    def composes(self, content, *customers, channel="email", composer=None, **options):
        composer = composer or self.composer(**options)
        contacts = [self.contact(one, content, channel=channel) for one in customers or ("ann",)]
        made = composer.compose(contacts)
        found = [made[contact.key] for contact in contacts]
        return found if len(found) > 1 else found[0]

    def previews(self, content, customer, **options):
        return preview(self.tools(), content, customer, now=NOW, **options)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The workspace, shared by the tests of a file: contents are kept under names of their own."""
    return ContentShop(tmp_path_factory.mktemp("content") / "shop")
