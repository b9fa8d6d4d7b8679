"""Values read for one window of contacts: a few questions for all of them, none per message."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ibis.expr.types import Table

from regulars.decide.offers.keeping.service import catalogue_rows, offers_in_force
from regulars.govern.masking import mask_name
from regulars.govern.protection.service import Protector
from regulars.govern.protection.tokens import is_token
from regulars.ports.channels import Contact
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State
from regulars.reach.content.definition import Content, Slot
from regulars.reach.content.fields import SENSITIVE_PURPOSE, fields
from regulars.reach.content.lookup.snapshot import Snapshot
from regulars.reach.content.lookup.tables import (
    bought_again,
    fields_of,
    goods,
    names_of,
    popular,
    tags_of,
)
from regulars.reach.coupons.service import codes_for
from regulars.settings import Retailer

LANGUAGE = "profile.language"
FAVOURITE = "profile.favourite_category"
STORE = "profile.favourite_store"
COVERED_CODE = "••••-••••-••••"
"""What a preview shows in the place of a code: none is given for it."""
KEPT_MINUTES = 5
MANY = 1_000
"""Customers asked about one by one before their table is held in memory, for minutes."""

_SQL = Queries(__package__)

Recommend = Callable[[Sequence[str], int], Mapping[str, Sequence[str]]]
"""Gives product ids by customer, the best first; asked for so many each."""

Told = Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]
"""Gives what triggers told, by key of the contact they set off."""


@dataclass(frozen=True)
class Read:
    """What was read of the customers of one window.

    Attributes:
        values: What templates may read, by key of the contact.
        languages: Locale by customer, as clients wrote it; those known.
        withheld: Sensitive fields left out for want of consent, by customer.
    """

    values: dict[str, dict[str, Any]]
    languages: dict[str, str]
    withheld: dict[str, set[str]] = field(default_factory=dict)


class Lookup:
    """Reads values for windows of contacts; what holds for all customers is kept for minutes.

    Args:
        reader: Opens the tables of the lake.
        state: The workspace's state, for consent.
        protector: Opens names that are tokens.
        retailer: Name, zone and currency.
        recommend: Chooses products per customer; by default those popular in the favourite
            category.
        told: Gives what triggers told; None where nothing is triggered.
    """

    def __init__(
        self,
        reader: Reader,
        state: State,
        protector: Protector,
        retailer: Retailer,
        *,
        recommend: Recommend | None = None,
        told: Told | None = None,
    ) -> None:
        """Keep the parts; nothing is read yet."""
        self._reader, self._state, self._protector = reader, state, protector
        self._retailer, self._recommend, self._told = retailer, recommend, told
        self._zone = ZoneInfo(retailer.zone)
        self._kept: dict[tuple[str, ...], tuple[datetime, Any]] = {}
        self._asked: Counter[tuple[str, ...]] = Counter()

    def read(
        self,
        content: Content,
        paths: Iterable[str],
        contacts: Sequence[Contact],
        *,
        is_masked: bool = False,
    ) -> Read:
        """Read what a content needs for one window of its contacts.

        Args:
            content: The content.
            paths: Fields its templates read.
            contacts: The window; all of one moment.
            is_masked: True to cover names, for people to look at.

        Returns:
            Values: a field nobody knows, and one withheld, is not among them.
        """
        wanted, now = set(paths), contacts[0].at
        customers = sorted({contact.customer_id for contact in contacts})
        withheld = self._withheld(wanted, customers)
        profiles = self._profiles(content, wanted, customers, now)
        names = self._names(customers, now, is_masked) if "customer.name" in wanted else {}
        tags = self._tags(customers) if "tags" in wanted else {}
        offers = self._offers(contacts, now) if _roots(wanted, "offer") else {}
        stores = self._stores(now) if _roots(wanted, "store") else {}
        products = self._products(content, customers, profiles, now)
        still = {
            "today": now.astimezone(self._zone).date(),
            "retailer": {"name": self._retailer.name},
        }
        found = {}
        for contact in contacts:
            who = contact.customer_id
            profile = profiles.get(who, {})
            found[contact.key] = {
                **still,
                "customer": _there({"name": names.get(who)}),
                "profile": _without(profile, withheld.get(who, set())),
                "tags": tags.get(who, []),
                "offer": offers.get(contact.offer_id, {}),
                "coupon": {},
                "store": stores.get(profile.get("favourite_store", ""), {}),
                **products.get(who, {}),
            }
        if self._told and _roots(wanted, "trigger"):
            for key, one in self._told(list(found)).items():
                found[key]["trigger"] = _there(one)
        if _roots(wanted, "coupon"):
            for key, code in self._codes(contacts, now, is_masked).items():
                found[key]["coupon"] = {"code": code}
        languages = {who: one["language"] for who, one in profiles.items() if "language" in one}
        return Read(found, languages, withheld)

    def _withheld(self, wanted: set[str], customers: Sequence[str]) -> dict[str, set[str]]:
        sensitive = wanted & fields().sensitive.keys()
        if not sensitive:
            return {}
        asked = json.dumps(list(customers), ensure_ascii=False)
        with self._state.reading() as opened:
            rows = opened.all(_SQL["agreed"], purpose=SENSITIVE_PURPOSE, customers=asked)
        agreed = {row["customer_id"] for row in rows}
        return {who: sensitive for who in customers if who not in agreed}

    def _rows(
        self,
        key: tuple[str, ...],
        define: Callable[[Sequence[str] | None], Table],
        customers: Sequence[str],
        now: datetime,
    ) -> dict[str, dict[str, Any]]:
        """Read one row per customer: asked for a few, then, when many are, held in memory."""
        kept = self._kept.get(key)
        if kept is None or abs(now - kept[0]) >= timedelta(minutes=KEPT_MINUTES):
            self._asked[key] += len(customers)
            if self._asked[key] < MANY:
                rows = self._reader.rows(define(customers))
                return {row.pop("customer_id"): row for row in rows}
            self._asked[key] = 0
            kept = self._kept[key] = now, Snapshot(self._reader.arrow(define(None)))
        found: dict[str, dict[str, Any]] = kept[1].of(customers)
        return found

    def _profiles(
        self, content: Content, wanted: set[str], customers: Sequence[str], now: datetime
    ) -> dict[str, dict[str, Any]]:
        needed = _roots(wanted, "profile")
        needed |= {"language"} if len(content.variants) > 1 else set()
        needed |= {"favourite_store"} if _roots(wanted, "store") else set()
        is_ours = self._recommend is None
        if is_ours and any(slot.choose == "recommended" for slot in content.products):
            needed |= {"favourite_category"}
        if not needed:
            return {}
        profiles, names = self._reader.table("profiles"), sorted(needed)
        key = ("profiles", *names)
        rows = self._rows(key, lambda few: fields_of(profiles, few, names), customers, now)
        return {who: _there(row) for who, row in rows.items()}

    def _names(self, customers: Sequence[str], now: datetime, is_masked: bool) -> dict[str, str]:
        known = self._reader.table("customers")
        rows = self._rows(("names",), lambda few: names_of(known, few), customers, now)
        found = {who: row["name"] for who, row in rows.items() if row["name"]}
        tokens = sorted({name for name in found.values() if is_token(name)})
        clear = self._protector.clear_for_contact(tokens)
        names = {who: clear.get(n, "") if is_token(n) else n for who, n in found.items()}
        return {who: mask_name(name) for who, name in names.items()} if is_masked else names

    def _tags(self, customers: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self._reader.rows(tags_of(self._reader.table("tag_members"), customers)):
            found.setdefault(row["customer_id"], []).append(row["tag"])
        return found

    def _offers(self, contacts: Sequence[Contact], now: datetime) -> dict[str, dict[str, Any]]:
        def read() -> dict[str, dict[str, Any]]:
            imported = self._reader.rows(self._reader.table("offers"))
            rows = catalogue_rows(imported, offers_in_force(self._state, at=now))
            return {row["offer_id"]: _there(row) for row in rows}

        known: dict[str, dict[str, Any]] = self._keep(("offers",), now, read)
        return {one: known.get(one, {}) for one in {contact.offer_id for contact in contacts}}

    def _codes(
        self, contacts: Sequence[Contact], now: datetime, is_masked: bool
    ) -> Mapping[str, str]:
        """Read the code each contact was given when it was claimed."""
        if is_masked:
            return dict.fromkeys((contact.key for contact in contacts), COVERED_CODE)
        asked = [(contact.key, contact.offer_id) for contact in contacts]
        with self._state.reading() as opened:
            return codes_for(opened, asked, now=now)

    def _stores(self, now: datetime) -> dict[str, dict[str, Any]]:
        def read() -> dict[str, dict[str, Any]]:
            table = self._reader.table("stores").select("store_id", "name", "city")
            return {row.pop("store_id"): _there(row) for row in self._reader.rows(table)}

        found: dict[str, dict[str, Any]] = self._keep(("stores",), now, read)
        return found

    def _products(
        self,
        content: Content,
        customers: Sequence[str],
        profiles: Mapping[str, Mapping[str, Any]],
        now: datetime,
    ) -> dict[str, dict[str, Any]]:
        """Give what each customer sees in each slot: one product, or a list of those in stock."""
        chosen = {
            slot.name: self._chosen(slot, customers, profiles, now) for slot in content.products
        }
        ids = {
            one for by_customer in chosen.values() for few in by_customer.values() for one in few
        }
        known = self._goods(sorted(ids), now)
        found: dict[str, dict[str, Any]] = {who: {} for who in customers}
        for slot in content.products:
            for who in customers:
                few = [
                    _shown(slot, known[one])
                    for one in chosen[slot.name].get(who, ())
                    if one in known
                ]
                if slot.choose:
                    few = [one for one in few if one.get("stock", 1) > 0][: slot.count]
                found[who][slot.name] = few if slot.is_list else (few[0] if few else {})
        return found

    def _chosen(
        self,
        slot: Slot,
        customers: Sequence[str],
        profiles: Mapping[str, Mapping[str, Any]],
        now: datetime,
    ) -> Mapping[str, Sequence[str]]:
        if slot.ids:
            return dict.fromkeys(customers, slot.ids)
        as_of, spare = now.astimezone(self._zone).date(), slot.count * 3
        if slot.choose == "bought_again":
            lines = self._reader.table("order_lines")
            return _listed(
                self._reader.rows(bought_again(lines, customers, as_of=as_of, most=spare)),
                "customer_id",
            )
        if self._recommend is not None:
            return self._recommend(customers, spare)
        by_category = self._popular(as_of, now)
        return {
            who: by_category.get(profiles.get(who, {}).get("favourite_category", ""), [])[:spare]
            for who in customers
        }

    def _popular(self, as_of: date, now: datetime) -> dict[str, list[str]]:
        def read() -> dict[str, list[str]]:
            lines, products = self._reader.table("order_lines"), self._reader.table("products")
            return _listed(
                self._reader.rows(popular(lines, products, as_of=as_of, most=60)), "category"
            )

        found: dict[str, list[str]] = self._keep(("popular", as_of.isoformat()), now, read)
        return found

    def _goods(self, ids: Sequence[str], now: datetime) -> dict[str, dict[str, Any]]:
        """Read products not read within minutes."""
        found = {}
        missing = []
        for one in ids:
            kept = self._kept.get(("product", one))
            if kept and abs(now - kept[0]) < timedelta(minutes=KEPT_MINUTES):
                found[one] = kept[1]
            else:
                missing.append(one)
        if missing:
            table = goods(
                self._reader.table("products"), self._reader.table("stock_levels"), missing
            )
            for row in self._reader.rows(table):
                product = _there(row)
                found[row["product_id"]] = product
                self._kept["product", row["product_id"]] = now, product
        return found

    def _keep(self, name: tuple[str, ...], now: datetime, read: Callable[[], Any]) -> Any:
        kept = self._kept.get(name)
        if kept is None or abs(now - kept[0]) >= timedelta(minutes=KEPT_MINUTES):
            kept = self._kept[name] = now, read()
        return kept[1]


def _without(profile: Mapping[str, Any], withheld: set[str]) -> dict[str, Any]:
    return {name: value for name, value in profile.items() if f"profile.{name}" not in withheld}


def _roots(paths: Iterable[str], root: str) -> set[str]:
    return {path.partition(".")[2] for path in paths if path.startswith(f"{root}.")}


def _there(row: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not known, so that it is missing and not an empty word."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in row.items()
        if value is not None
        and not (isinstance(value, float) and math.isnan(value))
        and not (isinstance(value, str) and not value.strip())
    }


def _shown(slot: Slot, product: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: product[name] for name in product if name != "product_id"}
    found["id"] = product["product_id"]
    if isinstance(found.get("stock"), Decimal):
        found["stock"] = int(found["stock"])
    if slot.url:
        found["url"] = slot.url.replace("{id}", quote(product["product_id"], safe=""))
    return found


def _listed(rows: Sequence[Mapping[str, Any]], by: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row["product_id"])
    return found
