"""The loop in the twin: contacts go out as files, a week happens, what happened comes in as files.

Nothing of the twin's truth reaches the loop. The truth of each week, and of the same week
without contacts, is kept beside the twin for the report.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from regulars.app import App
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.loop import run_turn
from regulars.rehearse.workspaces import workspace
from regulars.settings import ChannelSettings, Retailer, Settings
from regulars.twin import Contacts, Plan, State, Twin

Progress = Callable[[str], None]


@dataclass(frozen=True)
class TwinRun:
    """The loop in one twin, as far as it has come.

    Attributes:
        twin: The retailer.
        app: Its workspace.
        weeks: By turn: contacts, opted_out, spend, margin (after the cost of contacts),
            truth (margin the turn's contacts caused within the week).
    """

    twin: Twin
    app: App
    weeks: list[dict[str, Any]]


def run_in_twin(
    folder: Path, plan: Plan, *, workers: int = 2, progress: Progress = lambda _what: None
) -> TwinRun:
    """Let the loop run the twin, or go on where it was killed.

    Args:
        folder: Where the workspace and, in `world/`, the twin are kept.
        plan: What the twin is begun with.
        workers: Threads of the engine and senders.
        progress: Told what starts.

    Returns:
        The run, every planned turn done and the last one measured.
    """
    world = folder / "world"
    if not (world / "state.npz").is_file():
        progress("history")
        _begin(Twin.begin(plan), folder, workers)
    twin, state = Twin.resume(world)
    app = workspace(folder, _settings(twin), workers=workers)
    weeks: list[dict[str, Any]] = []
    for turn in range(1, plan.turns + 1):
        week = plan.history_weeks + turn
        kept = world / f"turn-{turn:03d}.json"
        if state.week < week:
            progress(f"turn {turn} of {plan.turns}")
            run_turn(app, _sunday(twin, week - 1))
            state = _live(twin, state, app, world, turn)
        if state.week == week:
            _deliver(app, world / f"week-{week:03d}")
        weeks.append(json.loads(kept.read_text(encoding="utf-8")))
    progress("last measuring")
    run_turn(app, _sunday(twin, plan.history_weeks + plan.turns), contact=False)
    return TwinRun(twin, app, weeks)


def _begin(twin: Twin, folder: Path, workers: int) -> None:
    """Live the history, write it, import it, and only then keep the twin."""
    world = folder / "world"
    state = twin.write_history(world / "week-000")
    app = workspace(folder, _settings(twin), workers=workers)
    _deliver(app, world / "week-000")
    twin.save(state, world)


def _live(twin: Twin, state: State, app: App, world: Path, turn: int) -> State:
    """Live one week with the turn's contacts, and once more without them for the truth."""
    contacts, keys = _contacts(twin, app, turn)
    _, alone = twin.advance(state, Contacts.none())
    after, outcome = twin.advance(state, contacts)
    twin.write_week(world / f"week-{after.week:03d}", outcome, keys)
    paid = float(twin.rules.book.channel_costs[contacts.channel].sum())
    told = {
        "turn": turn,
        "contacts": len(contacts.customer),
        "opted_out": int(outcome.opted_out.sum()),
        "spend": round(float(twin.rules.book.costs[contacts.offer, contacts.channel].sum()), 2),
        "margin": round(float(outcome.margin.sum()) - paid, 2),
        "gross": round(float(outcome.margin.sum()), 2),
        "truth": round(float((outcome.margin - alone.margin).sum()), 2),
    }
    part = world / f"turn-{turn:03d}.part"
    part.write_text(json.dumps(told), encoding="utf-8")
    part.replace(world / f"turn-{turn:03d}.json")
    twin.save(after, world)
    return after


def _contacts(twin: Twin, app: App, turn: int) -> tuple[Contacts, list[str]]:
    """Read what the system handed over: the only way in."""
    rows = pq.read_table(app.folder / "outbox" / f"contacts-{turn}.parquet")
    return twin.contacts(rows), rows.column("key").to_pylist()


def _deliver(app: App, folder: Path) -> None:
    import_files(
        app.lake,
        [folder],
        mapping_by_name(),
        zone=app.settings.retailer.zone,
        protector=app.protector,
    )


def _settings(twin: Twin) -> Settings:
    plan, book = twin.plan, twin.rules.book
    base = Settings()
    return Settings(
        retailer=Retailer(
            name=twin.skin.retailer,
            currency=twin.skin.currency,
            zone=twin.skin.zone,
            locale=twin.skin.locale,
        ),
        loop=replace(
            base.loop, seed=plan.seed, weekly_budget=Decimal(str(twin.suggested_budget()))
        ),
        channels={
            name: ChannelSettings(Decimal(str(round(float(cost), 2))))
            for name, cost in zip(book.channels, book.channel_costs, strict=True)
        },
    )


def _sunday(twin: Twin, week: int) -> date:
    return twin.monday(week) + timedelta(days=6)
