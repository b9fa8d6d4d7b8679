"""Read what online decisions rest on: beliefs, prices, cells and customers of the newest turn."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from regulars.decide.offers import arms_on
from regulars.decide.offers.keeping.service import catalogue_rows, offers_in_force
from regulars.decide.online.cells.service import read_cells
from regulars.decide.online.knowledge import Knowledge, knowledge_of
from regulars.decide.policies.economics import Tuned
from regulars.decide.policies.tables import audience, latest, shares_held_out
from regulars.decide.uplift.effects import belief_from_rows, extended, starting_belief
from regulars.errors import NotReady
from regulars.govern.consent.service import profiling_refused
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.settings import Settings


class Known:
    """What decisions rest on, read again once a turn or a day has passed.

    Args:
        engine: Reads the tables.
        state: The transactional store.
        settings: What `regulars.toml` says.
    """

    def __init__(self, engine: Reader, state: State, settings: Settings) -> None:
        """Read nothing yet."""
        self._engine, self._state, self._settings = engine, state, settings
        self._held: Knowledge | None = None

    def at(self, now: datetime) -> Knowledge | None:
        """Give what is known at a moment.

        Returns:
            The knowledge; None before the first turn has decided.
        """
        turn, day = newest_turn(self._engine), day_at(self._settings, now)
        if turn is None:
            return None
        if self._held is None or (self._held.turn, self._held.day) != (turn, day):
            self._held = read_knowledge(self._engine, self._state, self._settings, now=now)
        return self._held


def read_knowledge(engine: Reader, state: State, settings: Settings, *, now: datetime) -> Knowledge:
    """Read what online decisions rest on.

    Args:
        engine: Reads the tables.
        state: The transactional store: offers in force, who lets no feature be used.
        settings: What `regulars.toml` says.
        now: The moment, aware.

    Returns:
        The knowledge.

    Raises:
        NotReady: No turn has decided yet.
    """
    day = day_at(settings, now)
    costs = {name: part.cost for name, part in settings.channels.items()}
    turn = newest_turn(engine)
    if turn is None:
        raise NotReady("no turn has decided yet; run: regulars run")
    kept = offers_in_force(state, at=now)
    offers = catalogue_rows(engine.rows(engine.table("offers")), kept)
    # Channels left alone are left alone here too; a turn says so for itself.
    holds = engine.table("channel_holds").filter(_.turn == turn)
    held = {row["channel"] for row in engine.rows(holds)}
    arms = [arm for arm in arms_on(offers, costs, day=day) if arm.channel not in held]
    rows = engine.rows(
        latest(engine.table("uplift_priors"), turn).filter(_.position >= 0).order_by("position")
    )
    tuned = engine.rows(latest(engine.table("parameters"), turn).order_by("name"))
    mine = engine.table("decisions").filter(_.turn == turn)
    [price] = engine.rows(mine.agg(price=_.shadow_price.max()))
    [held_out] = engine.rows(shares_held_out(mine, before_kept=settings.loop.campaign_holdout))
    found = knowledge_of(
        _people(engine, state, turn),
        arms,
        extended(belief_from_rows(rows), arms) if rows else starting_belief(arms),
        Tuned.from_rows(tuned),
        turn=turn,
        day=day,
        shadow_price=float(price["price"] or 0.0),
        loop=replace(settings.loop, campaign_holdout=held_out["share"]),
    )
    return replace(found, cells=read_cells(engine, turn))


def newest_turn(engine: Reader) -> int | None:
    """Give the newest turn that decided; None when none has."""
    [row] = engine.rows(engine.table("decisions").agg(turn=_.turn.max()))
    return None if row["turn"] is None else int(row["turn"])


def day_at(settings: Settings, now: datetime) -> date:
    """Give the day it is where the retailer is."""
    return now.astimezone(ZoneInfo(settings.retailer.zone)).date()


def _people(engine: Reader, state: State, turn: int) -> pa.Table:
    """Give what the turn knew, but of nobody who lets no feature be used."""
    found = engine.arrow(audience(engine.table("profiles"), engine.table("customer_values"), turn))
    refused = pa.array(sorted(profiling_refused(state)), pa.string())
    return found.filter(pc.invert(pc.is_in(found["customer_id"], refused)))
