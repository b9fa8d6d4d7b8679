"""The twin's doors: what happened goes out as files of facts, contacts come in as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.numerics.hashing import uniforms
from regulars.twin.catalogue import Catalogue, products
from regulars.twin.doors.skins import Skin, home_shop, identities
from regulars.twin.households import Households
from regulars.twin.population import Population
from regulars.twin.week import Contacts, Lines, Outcome

Integers = NDArray[np.int64]

_MINUTE = 60_000_000
_STRANGERS = 0.03
"""Share of orders made in another town's shop."""


@dataclass(frozen=True)
class Doors:
    """What is needed to write the twin's facts.

    Attributes:
        skin: Names, money and places.
        population: The customers.
        book: Products and offers.
        first_day: Monday of week 1.
        values: Figures of the world.
    """

    skin: Skin
    population: Population
    book: Catalogue
    first_day: date
    values: Mapping[str, float]

    def monday(self, week: int) -> date:
        """First day of a week, counted from 1."""
        return self.first_day + timedelta(weeks=week - 1)

    def midnight(self, day: date) -> int:
        """Microseconds since 1970 at the day's midnight, by the clock of its noon."""
        local = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(self.skin.zone))
        return int(local.timestamp()) * 1_000_000 - 12 * 60 * _MINUTE


def starting_facts(doors: Doors, households: Households) -> dict[str, pa.Table]:
    """Everything a retailer knows before the first order: customers, products, shops, consents.

    Returns:
        Tables named and laid out like the facts they feed.
    """
    people, keys = doors.population, doors.population.keys
    tags = people.demographics
    joined = (uniforms(keys, "skin", "joined") * 700).astype(np.int64) + 30
    named = identities(doors.skin, keys)
    customers = pa.table(
        {"customer_id": people.ids.tolist()}
        | {name: _or_empty(words) for name, words in named.items()}
        | {
            "age_group": _or_empty(tags["age"]),
            "income_group": _or_empty(tags["income"]),
            "home_ownership": _or_empty(tags["home_ownership"]),
            "marital_status": _or_empty(tags["marital_status"]),
            "household_size": _or_empty(tags["household_size"]),
            "household_composition": _or_empty(tags["household_comp"]),
            "kids_count": _or_empty(tags["kids_count"]),
            "joined_on": _days(doors.first_day, -joined),
        }
    )
    shelf = products(doors.book, households)
    cost = np.rint(np.array(shelf.pop("unit_cost"), dtype=float) * 100).astype(np.int64)
    cities = doors.skin.towns
    return {
        "customers": customers,
        "products": pa.table({**shelf, "unit_cost": _money(cost)}),
        "stores": pa.table({
            "store_id": [f"S{place + 1:02d}" for place in range(len(cities))],
            "name": [f"{doors.skin.retailer} {city}" for city in cities],
            "city": cities,
            "zone": [doors.skin.zone] * len(cities),
        }),
        "consents": _first_consents(doors, joined),
    }


def _first_consents(doors: Doors, joined: Integers) -> pa.Table:
    """What customers said at sign-up, and those who changed their mind since."""
    people = doors.population
    midnight = doors.midnight(doors.first_day)
    rows = []
    for place, channel in enumerate(doors.book.channels):
        yes = people.consent[:, place]
        draw = uniforms(people.keys, "skin", "consent changed", channel)
        late = yes & (draw < doors.values["consent.changed"])
        said = midnight - joined * 24 * 60 * _MINUTE + 11 * 60 * _MINUTE
        first = np.where(yes & ~late, "granted", "denied")
        rows.append(_consents(people.ids, channel, first, said, "sign-up form"))
        again = said[late] + 20 * 24 * 60 * _MINUTE
        words = np.full(int(late.sum()), "granted")
        rows.append(_consents(people.ids[late], channel, words, again, "shop till"))
    return pa.concat_tables(rows)


def _consents(
    ids: NDArray[np.str_], channel: str, status: NDArray[np.str_], at: Integers, evidence: str
) -> pa.Table:
    return pa.table({
        "customer_id": pa.array(ids.tolist(), pa.string()),
        "purpose": pa.array(["marketing"] * len(ids), pa.string()),
        "channel": pa.array([channel] * len(ids), pa.string()),
        "status": pa.array(status.tolist(), pa.string()),
        "recorded_at": _moments(at),
        "notice_version": pa.array(["2025-1"] * len(ids), pa.string()),
        "evidence": pa.array([evidence] * len(ids), pa.string()),
    })


def week_facts(
    doors: Doors, outcome: Outcome, *, turn: int, keys: Sequence[str]
) -> dict[str, pa.Table]:
    """What one week brought, as facts.

    Args:
        doors: The twin's doors.
        outcome: The week.
        turn: Turn whose contacts were answered; names the campaign.
        keys: Keys of the contacts, in the order of `outcome.contacts`.

    Returns:
        Tables named and laid out like the facts they feed: orders, order_lines,
        redemptions, contact_outcomes, consents.

    Raises:
        InputError: There are not as many keys as contacts.
    """
    if len(keys) != len(outcome.contacts.customer):
        raise InputError(
            f"{len(keys)} keys for {len(outcome.contacts.customer)} contacts; give one each"
        )
    orders, printed = _orders(doors, outcome)
    return {
        "orders": orders,
        "order_lines": _order_lines(doors, outcome, orders, printed),
        "redemptions": _redemptions(doors, outcome, orders, printed, turn),
        "contact_outcomes": _receipts(doors, outcome, keys),
        "consents": _withdrawals(doors, outcome),
    }


def _orders(doors: Doors, outcome: Outcome) -> tuple[pa.Table, Integers]:
    """Print the till receipts in order of time.

    Neither their numbers nor their order tell which of them a contact caused.

    Returns:
        The fact `orders`, and the row of each receipt in the outcome.
    """
    rows, lines = outcome.order_rows, outcome.line_rows
    at = _printed_at(doors, outcome)
    order = np.lexsort((rows.keys, at))
    customer, keys = rows.customer[order], rows.keys[order]
    shops = len(doors.skin.towns)
    away = uniforms(keys, outcome.week, "away") < _STRANGERS
    shop = (home_shop(doors.skin, doors.population.keys)[customer] + away) % shops
    total = np.bincount(lines.order, lines.sales, minlength=len(order)).astype(np.int64)
    names = [f"W{outcome.week:03d}-{key:016x}" for key in keys.tolist()]
    table = pa.table({
        "order_id": pa.array(names, pa.string()),
        "customer_id": _ids(doors).take(pa.array(customer)),
        "store_id": pa.array([f"S{place + 1:02d}" for place in range(shops)]).take(pa.array(shop)),
        "ordered_at": _moments(at[order]),
        "business_date": _days(doors.monday(outcome.week), rows.day[order]),
        "total": _money(total[order]),
    })
    return table, order


def _ids(doors: Doors) -> pa.Array:
    return pa.array(doors.population.ids.tolist(), pa.string())


def _printed_at(doors: Doors, outcome: Outcome) -> Integers:
    """Moment of each order, in microseconds; always after the week's contacts went out."""
    rows, monday = outcome.order_rows, doors.monday(outcome.week)
    start = np.array([doors.midnight(monday + timedelta(days=day)) for day in range(7)])
    opens, hours = doors.values["customers.day_start"], doors.values["customers.day_hours"]
    minute = opens * 60 + 5 + uniforms(rows.keys, outcome.week, "minute") * (hours * 60 - 10)
    return np.asarray(start[rows.day] + minute.astype(np.int64) * _MINUTE)


def _order_lines(doors: Doors, outcome: Outcome, orders: pa.Table, printed: Integers) -> pa.Table:
    every = outcome.line_rows
    row = np.empty(len(printed), dtype=np.int64)
    row[printed] = np.arange(len(printed))
    place = row[every.order]
    by_receipt = np.lexsort((every.number, place))
    lines = Lines(**{part.name: getattr(every, part.name)[by_receipt] for part in fields(Lines)})
    order = pa.array(place[by_receipt])
    pieces = np.maximum(np.rint(lines.sales / 100 / doors.book.unit_price), 1).astype(np.int64)
    names = pa.array([f"P{place:04d}" for place in range(int(lines.product.max(initial=0)) + 1)])
    return pa.table({
        "order_id": orders["order_id"].take(order),
        "line_id": pc.cast(pa.array(lines.number + 1), pa.string()),
        "customer_id": orders["customer_id"].take(order),
        "product_id": names.take(pa.array(lines.product)),
        "business_date": orders["business_date"].take(order),
        "quantity": _decimal(pieces * 1000, 3),
        "sales": _money(lines.sales),
        "retail_discount": _money(lines.shelf_discount),
        "coupon_discount": _money(lines.maker_discount + lines.offer_discount),
        "cost": _money(lines.cost),
    })


def _redemptions(
    doors: Doors, outcome: Outcome, orders: pa.Table, printed: Integers, turn: int
) -> pa.Table:
    rows, lines, contacts = outcome.order_rows, outcome.line_rows, outcome.contacts
    receipts = np.flatnonzero(rows.uses_offer[printed])
    used = printed[receipts]
    off = np.bincount(lines.order, lines.offer_discount, minlength=len(rows.customer))
    offer = np.zeros(len(doors.population.ids), dtype=np.int64)
    offer[contacts.customer] = contacts.offer
    ids = [part.offer_id for part in doors.book.offers]
    own = offer[rows.customer[used]].tolist()
    picked = orders.take(pa.array(receipts))
    return pa.table({
        "redemption_id": picked["order_id"],
        "customer_id": picked["customer_id"],
        "coupon_id": pa.array([ids[place] for place in own], pa.string()),
        "campaign_id": pa.array([f"{ids[place]}-{turn:03d}" for place in own], pa.string()),
        "redeemed_on": picked["business_date"],
        "order_id": picked["order_id"],
        "amount": _money(off[used].astype(np.int64)),
    })


def _receipts(doors: Doors, outcome: Outcome, keys: Sequence[str]) -> pa.Table:
    """What arrives is reported as delivered; some are opened within the evening, some left by."""
    customer = outcome.contacts.customer
    sent = doors.midnight(doors.monday(outcome.week))
    sent += int(doors.values["customers.day_start"]) * 60 * _MINUTE
    draws = doors.population.keys[customer]
    wait = (uniforms(draws, outcome.week, "wait") * 600).astype(np.int64)
    ids, names = doors.population.ids[customer], np.array(keys, dtype=str)
    tables = []
    for kind, happened, minutes in (
        ("delivered", outcome.arrived[customer], 0 * wait + 1),
        ("opened", outcome.noticed[customer], wait + 2),
        ("opted_out", outcome.opted_out[customer], wait + 3),
    ):
        tables.append(
            pa.table({
                "contact_key": pa.array(names[happened].tolist(), pa.string()),
                "customer_id": pa.array(ids[happened].tolist(), pa.string()),
                "kind": pa.array([kind] * int(happened.sum()), pa.string()),
                "occurred_at": _moments(sent + minutes[happened] * _MINUTE),
            })
        )
    return pa.concat_tables(tables)


def _withdrawals(doors: Doors, outcome: Outcome) -> pa.Table:
    contacts = outcome.contacts
    left = np.flatnonzero(outcome.opted_out[contacts.customer])
    sent = doors.midnight(doors.monday(outcome.week))
    sent += int(doors.values["customers.day_start"]) * 60 * _MINUTE
    draws = doors.population.keys[contacts.customer[left]]
    wait = (uniforms(draws, outcome.week, "wait") * 600).astype(np.int64)
    at = sent + (wait + 3) * _MINUTE
    tables = [_consents(doors.population.ids[:0], "", np.array([], dtype=str), at[:0], "")]
    for place, channel in enumerate(doors.book.channels):
        own = contacts.channel[left] == place
        ids = doors.population.ids[contacts.customer[left][own]]
        words = np.full(len(ids), "withdrawn")
        tables.append(_consents(ids, channel, words, at[own], "link in a contact"))
    return pa.concat_tables(tables)


def offers_file(doors: Doors, folder: Path) -> Path:
    """Write offers.csv, the catalogue as a marketer would keep it.

    Returns:
        The file.
    """
    offers = doors.book.offers
    table = pa.table({
        "offer_id": [offer.offer_id for offer in offers],
        "name": [offer.name for offer in offers],
        "family": [offer.family for offer in offers],
        "discount_share": [_plain(offer.share) for offer in offers],
        "discount_amount": [_plain(offer.amount) for offer in offers],
        "min_order": [_plain(offer.least) for offer in offers],
        "planned_cost": [f"{offer.planned_cost:.2f}" for offer in offers],
        "margin_floor": [f"{offer.margin_floor:g}" for offer in offers],
    })
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "offers.csv"
    part = path.with_suffix(".part")
    pyarrow.csv.write_csv(table, part, pyarrow.csv.WriteOptions(quoting_style="needed"))
    part.replace(path)
    return path


def _plain(value: float) -> str | None:
    return f"{value:g}" if value else None


def write_facts(folder: Path, facts: Mapping[str, Sequence[pa.Table]]) -> None:
    """Write one Parquet file per fact; each appears whole or not at all, an empty one never.

    Args:
        folder: Where; made when it is not there.
        facts: Tables by fact; several of one fact go into one file, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, tables in facts.items():
        filled = [table for table in tables if table.num_rows]
        if not filled:
            continue
        path = folder / f"{name}.parquet"
        part = path.with_suffix(".part")
        with pq.ParquetWriter(part, filled[0].schema) as writer:
            for table in filled:
                writer.write_table(table)
        part.replace(path)


def read_contacts(doors: Doors, rows: pa.Table) -> Contacts:
    """Read the contacts the system handed over: the only way into the twin.

    Args:
        doors: The twin's doors.
        rows: One row per contact: customer_id, offer, channel; more columns are left alone.

    Returns:
        The contacts, in the order of the rows.

    Raises:
        InputError: A row names a customer, offer or channel the twin does not have.
    """
    offers = [part.offer_id for part in doors.book.offers]
    found = {}
    for column, known in (
        ("customer_id", doors.population.ids.tolist()),
        ("offer", offers),
        ("channel", list(doors.book.channels)),
    ):
        values = pc.cast(rows[column], pa.string()).combine_chunks()
        place = pc.index_in(values, value_set=pa.array(known, pa.string()))
        if place.null_count:
            wrong = values.filter(pc.is_null(place))[0].as_py()
            raise InputError(
                f"contacts name {column} {wrong!r}, which the twin does not have; "
                "hand over contacts decided on the twin's own files"
            )
        found[column] = place.to_numpy().astype(np.int64)
    return Contacts(found["customer_id"], found["offer"], found["channel"])


def _or_empty(words: NDArray[np.str_]) -> pa.Array:
    return pa.array([word or None for word in words.tolist()], pa.string())


def _money(cents: Integers) -> pa.Array:
    return _decimal(cents, 2)


def _decimal(units: Integers, scale: int) -> pa.Array:
    """Make DECIMAL(18, scale) of whole numbers of its last digit, without rounding."""
    halves = np.empty((len(units), 2), dtype="<i8")
    halves[:, 0] = units
    halves[:, 1] = np.where(units < 0, -1, 0)
    buffers = [None, pa.py_buffer(halves.tobytes())]
    return pa.Array.from_buffers(pa.decimal128(18, scale), len(units), buffers)


def _moments(microseconds: Integers) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def _days(first: date, offset: Integers) -> pa.Array:
    days = offset + (first - date(1970, 1, 1)).days
    return pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())
