"""Which experiments run now, and who was exposed to which variant: once, at whatever door."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from regulars.decide.assignment.dealing.giving import Dealt, Running, Variant, deal
from regulars.decide.assignment.variants import Experiment as Assignment
from regulars.ports.state import Queries, State, Transaction

_SQL = Queries(__package__)


class _Written(msgspec.Struct):
    """What dealing out reads of a definition."""

    id: str
    salt: str
    layer: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class Dealer:
    """Deals customers out within the transactions of others.

    Attributes:
        seed: The workspace's seed.
        global_holdout: Share of customers the programme never contacts; they take part in nothing.
    """

    seed: int
    global_holdout: float

    def dealt(
        self, opened: Transaction, customers: Collection[str], offers: Collection[str]
    ) -> Dealt:
        """Say which variants customers have in what runs now, as far as offers are concerned.

        Args:
            opened: Any transaction.
            customers: Who, by present ids.
            offers: The offers they may get.

        Returns:
            The variants, and for which offers they make a difference.
        """
        if not customers or not offers:
            return Dealt()
        names = sorted(set(offers))
        return deal(
            sorted(set(customers)),
            names,
            running_within(opened),
            seed=self.seed,
            global_holdout=self.global_holdout,
        )


def running_now(state: State) -> list[Running]:
    """Give the experiments that take customers now, by id."""
    with state.reading() as opened:
        return running_within(opened)


def running_within(opened: Transaction) -> list[Running]:
    """Give the experiments that take customers now, within a transaction, by id."""
    return [
        _read(row["definition"], row["first_place"], row["last_place"])
        for row in opened.all(_SQL["running"])
    ]


def expose(opened: Transaction, rows: Sequence[Mapping[str, str]]) -> None:
    """Put down who got which variant; whoever took part already stays as first put down.

    Args:
        opened: A write transaction.
        rows: experiment_id, customer_id, variant and at (ISO 8601) of each.
    """
    if rows:
        # In one order everywhere, so that no two writers wait for each other.
        ordered = sorted(rows, key=lambda row: (row["experiment_id"], row["customer_id"]))
        opened.many(_SQL["expose"], ordered)


def exposures(found: Iterable[tuple[str, str, str]], *, now: datetime) -> list[dict[str, str]]:
    """Give the rows `expose` takes.

    Args:
        found: Customer, experiment and variant of everybody to whom it made a difference.
        now: The moment, aware.

    Returns:
        One row per customer and experiment.

    Example:
        >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
        >>> len(exposures([("ann", "coupon", "control")] * 2, now=noon))
        1
    """
    at = now.astimezone(UTC).isoformat()
    return [
        {"experiment_id": experiment, "customer_id": customer, "variant": variant, "at": at}
        for experiment, customer, variant in sorted({
            (experiment, customer, variant) for customer, experiment, variant in found
        })
    ]


@lru_cache(maxsize=256)
def _read(definition: str, first: float, last: float) -> Running:
    one = msgspec.json.decode(definition, type=_Written)
    names = tuple(variant.name for variant in one.variants)
    shares = tuple(variant.share for variant in one.variants)
    dealing = Assignment(one.salt, names, shares, one.layer, first, last)
    return Running(one.id, dealing, one.variants)
