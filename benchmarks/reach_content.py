"""Render e-mail of 30 KB with 20 values, alone and as whole windows of contacts, beside two peers.

Alone: the page for one customer after another, by our templates, by python-liquid as it comes and
by the sandbox of Jinja. Whole: windows of contacts become messages: profiles read from the lake,
addresses opened from the vault, five links signed, subject, text and page rendered, footer and
headers put in. Times are seconds of processor. Run: python benchmarks reach_content, or python benchmarks/reach_content.py 20000 for
so many customers.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import liquid
import pyarrow as pa
from jinja2.sandbox import SandboxedEnvironment

from regulars.adapters.arrow_types import cast_to
from regulars.app import App, open_app
from regulars.ports.channels import Contact
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import Composer, put_content
from regulars.reach.content.templating.template import Template
from regulars.records import TABLES
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import adopt

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
FIELDS = (
    "city", "province", "gender", "age_group", "member_level", "device_platform",
    "acquisition_source", "favourite_category", "second_category", "favourite_store",
)  # fmt: skip
BLOCK = "<tr><td style='font-size:14px'>{text}</td><td>{{{{ profile.{field} }}}}</td></tr>"
WINDOW = 500
TOML = """
[retailer]
name = "bench"
locale = "en"
[links]
base_url = "https://go.shop.example"
[channels.email]
via = "email"
"""


def page() -> str:
    """Give a page of 30 KB with 20 values and 5 links."""
    rows = "".join(BLOCK.format(text="x" * 1380, field=field) for field in FIELDS * 2)
    links = "".join(f'<a href="https://shop.example/p/{n}">Look at it</a>' for n in range(5))
    return f"<html><body><table>{rows}</table>{links}</body></html>"


def profile_of(number: int) -> dict[str, str]:
    """Give one customer's values."""
    return {field: f"{field} & {number}" for field in FIELDS}


def seconds(work: Callable[[], Any]) -> float:
    """Give the seconds of processor one piece of work takes, the best of three.

    Of the processor, because the bar is messages a second and core, whatever else is at work.
    """
    found = []
    for _ in range(3):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def alone(messages: int) -> list[dict[str, Any]]:
    """Render the page again and again, with other values each time."""
    source, given = page(), [{"profile": profile_of(n)} for n in range(messages)]
    ours = Template(source, where="page", html=True)
    plain = liquid.Environment(autoescape=True).from_string(source)
    sandbox = SandboxedEnvironment(autoescape=True).from_string(source)
    assert ours.render(given[0]) == plain.render(**given[0]) == sandbox.render(**given[0])
    mine = seconds(lambda: [ours.render(one) for one in given])
    return [
        {
            "what": f"{messages:,} pages of {len(source):,} letters with 20 values",
            "ours": "regulars",
            "peer": name,
            "ours_seconds": mine,
            "peer_seconds": seconds(lambda one=one: [one.render(**row) for row in given]),
        }
        for name, one in (("python-liquid", plain), ("jinja2 sandbox", sandbox))
    ]


@contextmanager
def shop(customers: int) -> Generator[App]:
    """Make a workspace with customers, their profiles and their addresses in the vault."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "regulars.toml").write_text(TOML, encoding="utf-8")
        app = open_app(folder, workers=1)
        ids = [f"c{n:07}" for n in range(customers)]
        rows = {"customer_id": ids, "as_of": [date(2026, 3, 1)] * customers}
        rows |= {field: [f"{field} & {n}" for n in range(customers)] for field in FIELDS}
        zero = {"int64": 0, "float64": 0.0, "money": Decimal(0)}
        for column in TABLES["profiles"].columns:
            if column.name not in {*rows, "turn"}:
                rows[column.name] = [zero.get(column.type) if column.required else None] * customers
        data = cast_to(TABLES["profiles"], pa.table(rows), turn=1)
        app.lake.overwrite_turn("profiles", data, application="bench", turn=1)
        tokens = app.protector.protect_column(
            "email", pa.array([f"{one}@example.com" for one in ids])
        ).to_pylist()
        evidence = Evidence(NOW.isoformat(), "bench")
        named = zip(ids, tokens, strict=True)
        adopt(
            app.state,
            (([Identifier("login", a), Identifier("email", b)], evidence) for a, b in named),
        )
        yield app
        app.state.close()


def whole(customers: int) -> dict[str, Any]:
    """Compose windows of contacts, everything counted."""
    with shop(customers) as app:
        variant = Variant(subject="{{ profile.city }}: news", html=page())
        uses = tuple(f"profile.{field}" for field in FIELDS)
        content = Content("bench", "email", "marketing", {"en": variant}, uses)
        name = put_content(app.state, content, actor="bench", at=NOW)
        composer = Composer(app.state, app.protector, app.settings, app.links, reader=app.engine)
        contacts = [
            Contact(
                f"{n:032x}", f"c{n:07}", "spring", "", "email", Decimal(0), NOW, content=name
            )
            for n in range(customers)
        ]  # fmt: skip

        def work() -> None:
            for at in range(0, customers, WINDOW):
                made = composer.compose(contacts[at : at + WINDOW])
                assert not any(isinstance(one, str) for one in made.values())

        took = seconds(work)
    print(f"  whole messages: {customers / took:,.0f} a second and core in windows of {WINDOW}")
    return {
        "what": f"{customers:,} whole messages of 30 KB: read, addressed, linked, rendered",
        "ours": "regulars",
        "peer": "bar of 3,000 a second",
        "ours_seconds": took,
        "peer_seconds": customers / 3_000,
    }


def main(customers: int = 5_000) -> list[dict[str, Any]]:
    """Measure both."""
    return [*alone(2_000), whole(customers)]


if __name__ == "__main__":
    for result in main(*[int(float(word)) for word in sys.argv[1:2]]):
        print(result)
