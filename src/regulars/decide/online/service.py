"""Online decisions of one workspace: knowledge kept fresh, money and stock counted, all logged."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars.decide.online.deciding import OnlineDecision, decide_online
from regulars.decide.online.keeping.service import tell_decisions
from regulars.decide.online.knowledge import Knowledge
from regulars.decide.online.log import FOLDER, DecisionLog, rows_in
from regulars.decide.online.reading.service import day_at, newest_turn, read_knowledge
from regulars.decide.online.sharing.service import CELL, MONEY, STOCK, Limit, Shares
from regulars.decide.online.wanting import (
    REASON,
    SHORT,
    closed_cells,
    counted,
    wants_of,
    without,
)
from regulars.decide.policies.rule import Rule
from regulars.ports.engine import Reader
from regulars.ports.lake import Lake
from regulars.ports.state import State
from regulars.settings import Settings

TABLE = "online_decisions"
EXPOSURES = "online_exposures"
RESPONSES = "online_responses"
APPLICATION = "online"
JOURNEYS = "online/journeys"
FRESH = timedelta(seconds=30)
_AT_ONCE = 100_000


class Decider:
    """Decides for one customer at a time, for one process.

    Args:
        folder: The workspace's folder; decisions are logged below it.
        reading: Lends an engine that nobody else uses meanwhile.
        state: The transactional store.
        settings: What `regulars.toml` says.
        rule_of: Gives the challenger that chooses for a customer, None for the loop's policy.
    """

    def __init__(
        self,
        folder: Path,
        reading: Callable[[], AbstractContextManager[Reader]],
        state: State,
        settings: Settings,
        rule_of: Callable[[str, datetime], Rule | None] = lambda _customer, _now: None,
    ) -> None:
        """Open the log; knowledge is read when it is first needed.

        Raises:
            NotReady: Another process decides online in this workspace.
            OutsideError: The store does not answer; nothing stays open, so that it can be tried
                again.
        """
        self._reading, self._state, self._settings = reading, state, settings
        self._rule_of = rule_of
        self._knowledge: Knowledge | None = None
        self._looked_at: datetime | None = None
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._used: Counter[Limit] = Counter()
        self._unpaid: dict[int, dict[str, str]] = {}
        self.log = DecisionLog(folder, told=self._count)
        self._shares = Shares(state, taker="server")
        try:
            self._shares.restore(self._used)
        except BaseException:
            # Whoever tries again must be able to open the log.
            self.log.close()
            raise

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
        stocked: Set[str] = frozenset(),
    ) -> OnlineDecision:
        """Decide for one customer, and hand the decision to the log.

        The answer does not wait for the disk. What may be spent online between two turns is
        `loop.online_budget`, and of a cell what the turn left of it; who would take more gets
        nothing, with the reason budget. Of an offer's stock a send takes one, from the same
        stock as contacts do; when it is gone, nothing, with the reason stock.

        Args:
            customer_id: Who.
            request_id: What asks; the same one gets the same decision while nothing changes.
            refusals: Reason code by channel, "" where a contact may go out.
            now: The moment, aware.
            is_plain: True where the customer lets no feature be used.
            offers: The only offers asked for; None for all.
            stocked: Offers with limited stock.

        Returns:
            The decision.

        Raises:
            NotReady: No turn has decided yet.
        """
        knowledge = self.knowledge(now=now)
        rule = self._rule_of(customer_id, now)
        if rule is not None:
            knowledge = replace(knowledge, rule=rule)
        cells = knowledge.cells
        segment = cells.segment_of(customer_id, is_plain=is_plain) if cells else ""
        found = decide_online(
            knowledge,
            None if is_plain else knowledge.customers.find(customer_id),
            customer_id=customer_id,
            request_id=request_id,
            refusals=self._with_shares(refusals, knowledge, segment),
            now=now,
            is_plain=is_plain,
            offers=offers,
        )
        if found.verdict == "send":
            found = counted(found, cells, segment, stocked)
            short = self._short_of(found)
            found = without(found, short) if short else found
        self.log.decided(found.decision_id, found.encoded())
        return found

    def offers(self, *, now: datetime) -> Sequence[str]:
        """List the offers there are to decide among.

        Returns:
            Their ids, each once.

        Raises:
            NotReady: No turn has decided yet.
        """
        return self.knowledge(now=now).offers

    def exposed(self, decision_id: str, *, now: datetime) -> bool:
        """Note that a customer saw what was decided.

        Returns:
            False when the decision is not on disk (yet), or was noted already; then it does
            not count.
        """
        return self.log.exposed(decision_id, at=now.isoformat())

    def responded(self, decision_id: str, kind: str, *, now: datetime, asked: str = "") -> bool:
        """Note that a customer clicked on what was decided, or put it away.

        Args:
            decision_id: The decision.
            kind: "clicked" or "dismissed".
            now: The moment, aware.
            asked: Who asked for what; `log.has_responded` knows it by that.

        Returns:
            False when nobody is known to have seen it, or this was noted already; then it does
            not count.
        """
        return self.log.responded(decision_id, kind, at=now.isoformat(), asked=asked)

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
        """Write what waits, close the log, and give back what was taken and not used."""
        self.log.close()
        self._shares.close()

    def _with_shares(
        self, refusals: Mapping[str, str], knowledge: Knowledge, segment: str
    ) -> Mapping[str, str]:
        """Open offers this process holds stock of, and close cells that are full."""
        shares = self._shares
        found = {
            name: reason
            for name, reason in refusals.items()
            if reason != "stock" or not shares.has(Limit(0, STOCK, name.removeprefix("offer/")))
        }
        return found | closed_cells(knowledge, segment, shares)

    def _refresh(self, now: datetime) -> None:
        self._shares.look_again()
        with self._loading, self._reading() as engine:
            known, day = self._knowledge, day_at(self._settings, now)
            if known is None or (known.turn, known.day) != (newest_turn(engine), day):
                self._knowledge = read_knowledge(engine, self._state, self._settings, now=now)

    def _read(self, now: datetime) -> Knowledge:
        with self._reading() as engine:
            return read_knowledge(engine, self._state, self._settings, now=now)

    def _count(self, row: Mapping[str, Any]) -> None:
        """Count what an earlier process took, and whom there was nothing left for."""
        if "turn" not in row:
            return
        turn, cents = row["turn"], int(Decimal(row["cost"]) * 100)
        if row.get("reason") in SHORT and row.get("offer_id"):
            self._refused(turn)[row["decision_id"]] = row["reason"]
        self._used[Limit(turn, MONEY, "")] += cents
        if row.get("cell"):
            self._used[Limit(turn, CELL, row["cell"])] += cents
        if row.get("takes_stock"):
            self._used[Limit(0, STOCK, row["offer_id"])] += 1

    def _refused(self, turn: int) -> dict[str, str]:
        """Give why decisions got nothing; those of turns long past are forgotten."""
        for past in [one for one in self._unpaid if one < turn - 1]:
            del self._unpaid[past]
        return self._unpaid.setdefault(turn, {})

    def _short_of(self, found: OnlineDecision) -> str:
        """Take what a send needs; who asks again does not take again. Gives what had run out."""
        with self._lock:
            unpaid = self._refused(found.turn)
            if found.decision_id in unpaid:
                return unpaid[found.decision_id]
            if self.log.knows(found.decision_id):
                return ""
            knowledge = self._knowledge
            cells = knowledge.cells if knowledge and knowledge.turn == found.turn else None
            short = self._shares.take(
                wants_of(found, cells, money=self._settings.loop.online_budget)
            )
            if short:
                unpaid[found.decision_id] = REASON[short]
            return REASON.get(short, "")


def export_decisions(folder: Path, lake: Lake, state: State | None = None) -> int:
    """Append what was decided online since the last time to the lake.

    Args:
        folder: The workspace's folder.
        lake: The tables.
        state: The transactional store, for decisions of journeys; None to leave them.

    Returns:
        Rows appended: decisions, each once, exposures of those, and what was done with them.
    """
    log, appended = folder / FOLDER, 0
    for table, (wanted, _row) in _ROWS.items():
        rows, place = [], lake.committed(table, APPLICATION) or 0
        for place, row in enumerate(rows_in(log, after=place), start=place + 1):  # noqa: B020
            if wanted in row:
                rows.append(row)
            if len(rows) == _AT_ONCE:
                appended += _append(lake, table, rows, version=place)
                rows = []
        if rows:
            appended += _append(lake, table, rows, version=place)
    if state is not None:
        appended += tell_decisions(
            state,
            lambda rows, batch: _append(lake, TABLE, rows, version=batch, application=JOURNEYS),
        )
    return appended


def _append(
    lake: Lake,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    version: int,
    application: str = APPLICATION,
) -> int:
    told = [_ROWS[table][1](row) for row in rows]
    schema = lake.schema(table)
    data = pa.Table.from_pylist(told, schema=schema)
    lake.append(table, data, application=application, version=version)
    return len(told)


def _decision_row(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: json.dumps(row[name]) for name in ("candidates", "ruled_out", "features")}
    exact = {"at": datetime.fromisoformat(row["at"]), "cost": Decimal(row["cost"])}
    return {**row, **texts, **exact}


def _exposure_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"decision_id": row["exposed"], "at": datetime.fromisoformat(row["at"])}


def _response_row(row: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(row["at"])
    return {"decision_id": row["responded"], "kind": row["kind"], "at": at}


# By table, what marks its rows in the log, and how one is written to the lake.
_ROWS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    TABLE: ("decision_id", _decision_row),
    EXPOSURES: ("exposed", _exposure_row),
    RESPONSES: ("responded", _response_row),
}
