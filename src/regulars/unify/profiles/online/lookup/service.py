"""The profile of one customer, read from the store of profiles by any identifier."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import msgspec
import numpy as np

from regulars.numerics.days import day_number
from regulars.ports.state import State
from regulars.records.identifiers import customer_id_of
from regulars.unify.profiles.declared.indicators import PRIOR_SPEND_SHARE, finish
from regulars.unify.profiles.declared.leanings import LEANINGS
from regulars.unify.profiles.declared.parts import Population
from regulars.unify.profiles.declared.static_tags import finished
from regulars.unify.profiles.online.reading import daily_rows, survivors
from regulars.unify.profiles.online.service import SQL
from regulars.unify.profiles.profile import parts_of_states, state_of_days
from regulars.unify.profiles.service import first_of

_PARTS = ("activity", "events", "told", "turned", "orders", "contacts", "lines")
_LEANINGS = frozenset(leaning.name for leaning in LEANINGS)


class Identities(Protocol):
    """Who is who: the identity graph, or nobody joined with anybody."""

    def customer(self, namespace: str, value: str, /) -> str | None:
        """Give the present customer id behind an identifier; None when it was never seen."""

    def nodes(self, customer_id: str, /) -> Sequence[str]:
        """Give every customer id that stands for this customer, their own included."""


class Alone:
    """Identities where nobody has been joined with anybody."""

    def customer(self, namespace: str, value: str, /) -> str | None:  # noqa: PLR6301
        """Give the customer id the identifier stands for by itself."""
        return customer_id_of(namespace, value)

    def nodes(self, customer_id: str, /) -> Sequence[str]:  # noqa: PLR6301
        """Give the customer's own id."""
        return [customer_id]


@dataclass(frozen=True)
class OnlineProfile:
    """What is known of one customer now.

    Attributes:
        customer_id: Who.
        as_of: Last day counted.
        updated_at: When something was last received; None when only files tell of them.
        static: Static tags, those known; the name covered.
        indicators: Behavioural indicators; None where they say nothing.
        leanings: Leanings; None where there are too few choices.
        events: Events by name and day number, for tags that count them.
        turned: Day of entering and membership by tag, as the newest turn loaded wrote them.
        nodes: Every id that stands for the customer.
    """

    customer_id: str
    as_of: date
    updated_at: datetime | None
    static: dict[str, str]
    indicators: dict[str, Any]
    leanings: dict[str, Any]
    events: dict[tuple[str, int], int]
    turned: dict[str, tuple[date, bool]]
    nodes: tuple[str, ...]


class OnlineProfiles:
    """Reads profiles from the store.

    Args:
        store: The store of profiles, its tables made.
        margin_rate: Margin over sales where products have no cost, 0 to 1.
    """

    def __init__(self, store: State, *, margin_rate: float) -> None:
        """Remember the store; nothing is read yet."""
        self._store, self._margin_rate = store, margin_rate

    def find(
        self, namespace: str, value: str, *, identities: Identities, as_of: date
    ) -> OnlineProfile | None:
        """Give the profile behind an identifier.

        Args:
            namespace: Kind of identifier: "login", "phone", "cookie"...
            value: The identifier; a token when it is a phone number or an e-mail address.
            identities: Who is who.
            as_of: Last day counted, mostly today.

        Returns:
            None when nothing is known of anybody by that identifier.
        """
        customer_id = identities.customer(namespace, value)
        if customer_id is None:
            return None
        return self.of(customer_id, identities.nodes(customer_id), as_of=as_of)

    def of(self, customer_id: str, nodes: Sequence[str], *, as_of: date) -> OnlineProfile | None:
        """Give the profile of a customer made of these nodes; None when nothing is known."""
        day = day_number(as_of)
        names = json.dumps(list(nodes), ensure_ascii=False)
        with self._store.reading() as opened:
            [picture] = opened.all(SQL["picture"], names=names, as_of=day)
        if picture["updated_at"] is None:
            return None
        found = {name: msgspec.json.decode(picture[name]) for name in _PARTS}
        kept = picture["population"]
        population = Population(**json.loads(kept)) if kept else Population(day, None, 0.0)
        static = finished(survivors(found["told"]).items(), as_of)
        values = self._finished(found, static, population, day)
        events: Counter[tuple[str, int]] = Counter()
        for on, name, count in found["events"]:
            events[name, on] += count
        micros = picture["updated_at"]
        return OnlineProfile(
            customer_id,
            as_of,
            datetime.fromtimestamp(micros / 1_000_000, UTC) if micros else None,
            static,
            {name: value for name, value in values.items() if name not in _LEANINGS},
            {name: value for name, value in values.items() if name in _LEANINGS},
            dict(events),
            _turned(found["turned"]),
            tuple(nodes),
        )

    def refresh_population(self, *, as_of: date, aliases: Mapping[str, str]) -> Population:
        """Find anew what holds for all customers together, and keep it for the lookups.

        Args:
            as_of: Last day counted.
            aliases: Present customer id by an id that was merged into it.

        Returns:
            The figures kept. They move slowly: once a day, and after loading files, is enough.
        """
        day = day_number(as_of)
        with self._store.transaction() as opened:
            spend: dict[str, int] = {}
            sales = costed = cost = 0
            for row in opened.all(SQL["spend_by_node"], as_of=day):
                name = aliases.get(row["name"], row["name"])
                spend[name] = spend.get(name, 0) + row["sales"]
                sales, costed = sales + row["sales"], costed + row["costed_sales"]
                cost += row["cost"]
            [first] = opened.all(SQL["first_order_day"], as_of=day)
            history = day if first["day"] is None else first["day"]
            found = Population(history, None, 0.0)
            if sales > 0:
                margin = costed - cost / 1000 + (sales - costed) * self._margin_rate
                buyers = max(sum(amount > 0 for amount in spend.values()), 1)
                found = Population(history, margin / sales, PRIOR_SPEND_SHARE * sales / buyers)
            opened.run(SQL["set_figure"], name="population", value=json.dumps(asdict(found)))
        return found

    def _finished(
        self,
        found: Mapping[str, Any],
        static: Mapping[str, str],
        population: Population,
        day: int,
    ) -> dict[str, Any]:
        joined = static.get("joined_on")
        joined_day = float(day_number(date.fromisoformat(joined))) if joined else np.nan
        parts = parts_of_states(
            [state_of_days(daily_rows(found), as_of=day)],
            as_of=day,
            joined_day=np.array([joined_day]),
            history_day=population.history_day,
            margin_rate=self._margin_rate,
            population=population,
        )
        return first_of(finish(parts))


def _turned(rows: Sequence[Sequence[Any]]) -> dict[str, tuple[date, bool]]:
    """Join what the newest turn wrote of each node: the earliest day, a member if any is."""
    found: dict[str, tuple[date, bool]] = {}
    for tag, entered_on, is_member in rows:
        day = date.fromisoformat(entered_on)
        before, was_member = found.get(tag, (day, False))
        found[tag] = min(before, day), was_member or bool(is_member)
    return found
