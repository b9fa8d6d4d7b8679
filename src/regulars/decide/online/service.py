"""Online decisions of one workspace: knowledge kept fresh, money and stock counted, all logged."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from regulars.decide.offers import arms_on
from regulars.decide.offers.keeping.service import catalogue_rows, offers_in_force
from regulars.decide.online.deciding import OnlineDecision, decide_online
from regulars.decide.online.knowledge import Knowledge, knowledge_of
from regulars.decide.online.log import FOLDER, DecisionLog, rows_in
from regulars.decide.policies.economics import Tuned
from regulars.decide.policies.tables import audience, latest
from regulars.decide.uplift.effects import belief_from_rows, extended, starting_belief
from regulars.errors import NotReady
from regulars.govern.consent.service import profiling_refused
from regulars.ports.engine import Reader
from regulars.ports.lake import Lake
from regulars.ports.state import State
from regulars.settings import Settings

TABLE = "online_decisions"
EXPOSURES = "online_exposures"
APPLICATION = "online"
FRESH = timedelta(seconds=30)
_AT_ONCE = 100_000


class Decider:
    """Decides for one customer at a time, for one process.

    Args:
        folder: The workspace's folder; decisions are logged below it.
        reading: Lends an engine that nobody else uses meanwhile.
        state: The transactional store.
        settings: What `regulars.toml` says.
    """

    def __init__(
        self,
        folder: Path,
        reading: Callable[[], AbstractContextManager[Reader]],
        state: State,
        settings: Settings,
    ) -> None:
        """Open the log; knowledge is read when it is first needed.

        Raises:
            NotReady: Another process decides online in this workspace.
        """
        self._reading, self._state, self._settings = reading, state, settings
        self._knowledge: Knowledge | None = None
        self._looked_at: datetime | None = None
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._spent: dict[int, Decimal] = {}
        self._unpaid: dict[int, set[str]] = {}
        self.log = DecisionLog(folder, told=self._count)

    @property
    def is_ready(self) -> bool:
        """Whether knowledge was read, so that a decision need not wait for it."""
        return self._knowledge is not None

    def decide(
        self,
        customer_id: str,
        *,
        request_id: str,
        refusals: Mapping[str, str],
        now: datetime,
        is_plain: bool = False,
        offers: Set[str] | None = None,
    ) -> OnlineDecision:
        """Decide for one customer, and hand the decision to the log.

        The answer does not wait for the disk. What may be spent online between two turns is
        `loop.online_budget`; who would take more gets nothing, with the reason budget.

        Args:
            customer_id: Who.
            request_id: What asks; the same one gets the same decision while nothing changes.
            refusals: Reason code by channel, "" where a contact may go out.
            now: The moment, aware.
            is_plain: True where the customer lets no feature be used.
            offers: The only offers asked for; None for all.

        Returns:
            The decision.

        Raises:
            NotReady: No turn has decided yet.
        """
        knowledge = self.knowledge(now=now)
        found = decide_online(
            knowledge,
            None if is_plain else knowledge.customers.find(customer_id),
            customer_id=customer_id,
            request_id=request_id,
            refusals=refusals,
            now=now,
            is_plain=is_plain,
            offers=offers,
        )
        if found.verdict == "send" and not self._pay(found):
            found = msgspec.structs.replace(found, verdict="skip", reason="budget", cost=Decimal(0))
        self.log.decided(found.decision_id, found.encoded())
        return found

    def offers(self, *, now: datetime) -> list[str]:
        """List the offers there are to decide among.

        Returns:
            Their ids, each once.

        Raises:
            NotReady: No turn has decided yet.
        """
        return sorted({arm.offer_id for arm in self.knowledge(now=now).arms})

    def exposed(self, decision_id: str, *, now: datetime) -> bool:
        """Note that a customer saw what was decided.

        Returns:
            False when the decision is not on disk (yet), or was noted already; then it does
            not count.
        """
        return self.log.exposed(decision_id, at=now.isoformat())

    def knowledge(self, *, now: datetime) -> Knowledge:
        """Give what decisions rest on, read again in the background when a turn has passed.

        Returns:
            The knowledge, at most half a minute behind the newest turn.

        Raises:
            NotReady: No turn has decided yet.
        """
        if self._knowledge is None:
            with self._loading:
                if self._knowledge is None:
                    self._knowledge = self._read(now)
                    self._looked_at = now
        elif self._looked_at is None or now - self._looked_at > FRESH:
            self._looked_at = now
            threading.Thread(target=self._refresh, args=(now,), daemon=True).start()
        return self._knowledge

    def close(self) -> None:
        """Write what waits and close the log."""
        self.log.close()

    def _refresh(self, now: datetime) -> None:
        with self._loading, self._reading() as engine:
            known = self._knowledge
            if known is None or (known.turn, known.day) != (_newest(engine), self._day(now)):
                self._knowledge = self._read(now)

    def _read(self, now: datetime) -> Knowledge:
        settings, day = self._settings, self._day(now)
        costs = {name: part.cost for name, part in settings.channels.items()}
        with self._reading() as engine:
            turn = _newest(engine)
            if turn is None:
                raise NotReady("no turn has decided yet; run: regulars run")
            kept = offers_in_force(self._state, at=now)
            offers = catalogue_rows(engine.rows(engine.table("offers")), kept)
            # Channels left alone are left alone here too; a turn says so for itself.
            holds = engine.table("channel_holds").filter(_.turn == turn)
            held = {row["channel"] for row in engine.rows(holds)}
            arms = [arm for arm in arms_on(offers, costs, day=day) if arm.channel not in held]
            people = self._people(engine, turn)
            rows = engine.rows(
                latest(engine.table("uplift_priors"), turn)
                .filter(_.position >= 0)
                .order_by("position")
            )
            tuned = engine.rows(latest(engine.table("parameters"), turn).order_by("name"))
            [price] = engine.rows(
                engine.table("decisions").filter(_.turn == turn).agg(price=_.shadow_price.max())
            )
        belief = extended(belief_from_rows(rows), arms) if rows else starting_belief(arms)
        return knowledge_of(
            people,
            arms,
            belief,
            Tuned.from_rows(tuned),
            turn=turn,
            day=day,
            shadow_price=float(price["price"] or 0.0),
            loop=settings.loop,
        )

    def _people(self, engine: Reader, turn: int) -> pa.Table:
        """Give what the turn knew, but of nobody who lets no feature be used."""
        found = engine.arrow(
            audience(engine.table("profiles"), engine.table("customer_values"), turn)
        )
        refused = pa.array(sorted(profiling_refused(self._state)), pa.string())
        return found.filter(pc.invert(pc.is_in(found["customer_id"], refused)))

    def _count(self, row: Mapping[str, Any]) -> None:
        """Count what an earlier process spent on a turn, and whom it had no money for."""
        if "turn" not in row:
            return
        turn = row["turn"]
        self._spent[turn] = self._spent.get(turn, Decimal(0)) + Decimal(row["cost"])
        if row.get("reason") == "budget":
            self._refused(turn).add(row["decision_id"])

    def _refused(self, turn: int) -> set[str]:
        """Give the decisions there was no money for; those of turns long past are forgotten."""
        for past in [one for one in self._unpaid if one < turn - 1]:
            del self._unpaid[past]
        return self._unpaid.setdefault(turn, set())

    def _pay(self, found: OnlineDecision) -> bool:
        """Take the cost from the money of its turn; who asks again does not pay again."""
        with self._lock:
            unpaid = self._refused(found.turn)
            if found.decision_id in unpaid:
                return False
            if self.log.knows(found.decision_id):
                return True
            spent = self._spent.get(found.turn, Decimal(0))
            if spent + found.cost > self._settings.loop.online_budget:
                unpaid.add(found.decision_id)
                return False
            self._spent[found.turn] = spent + found.cost
            return True

    def _day(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self._settings.retailer.zone)).date()


def _newest(engine: Reader) -> int | None:
    [row] = engine.rows(engine.table("decisions").agg(turn=_.turn.max()))
    return None if row["turn"] is None else int(row["turn"])


def export_decisions(folder: Path, lake: Lake) -> int:
    """Append what was decided online since the last time to the lake.

    Args:
        folder: The workspace's folder.
        lake: The tables.

    Returns:
        Rows appended: decisions, each once, and exposures of those.
    """
    log, appended = folder / FOLDER, 0
    for table, wanted in ((TABLE, "decision_id"), (EXPOSURES, "exposed")):
        rows, place = [], lake.committed(table, APPLICATION) or 0
        for place, row in enumerate(rows_in(log, after=place), start=place + 1):  # noqa: B020
            if wanted in row:
                rows.append(row)
            if len(rows) == _AT_ONCE:
                appended += _append(lake, table, rows, version=place)
                rows = []
        if rows:
            appended += _append(lake, table, rows, version=place)
    return appended


def _append(lake: Lake, table: str, rows: Sequence[Mapping[str, Any]], *, version: int) -> int:
    told = [_decision_row(row) if table == TABLE else _exposure_row(row) for row in rows]
    schema = lake.schema(table)
    data = pa.Table.from_pylist(told, schema=schema)
    lake.append(table, data, application=APPLICATION, version=version)
    return len(told)


def _decision_row(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: json.dumps(row[name]) for name in ("candidates", "ruled_out", "features")}
    exact = {"at": datetime.fromisoformat(row["at"]), "cost": Decimal(row["cost"])}
    return {**row, **texts, **exact}


def _exposure_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"decision_id": row["exposed"], "at": datetime.fromisoformat(row["at"])}
