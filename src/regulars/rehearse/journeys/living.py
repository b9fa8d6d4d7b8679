"""Every template runs in the twin: events in, contacts out, effects read against its holdout.

A contact of one week is answered in the next one: the twin takes contacts at the start of a
week, and one per customer. Nothing of its truth reaches the journeys.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.app import App
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.loop import run_turn
from regulars.ports.state import Transaction
from regulars.reach.campaigns.audiences.service import members_now
from regulars.reach.campaigns.definition import Audience
from regulars.reach.campaigns.splitting import CAMPAIGN_HOLDOUT, CONTACT, GLOBAL_HOLDOUT
from regulars.reach.delivery.service import tick
from regulars.reach.journeys.advancing.service import advance
from regulars.reach.journeys.definition.nodes import Decide, NodeKind
from regulars.reach.journeys.definition.reading import Ground, read_journey
from regulars.reach.journeys.dry_run.service import DryRun, Sources, dry_run
from regulars.reach.journeys.entering.following.service import Event, hand_in
from regulars.reach.journeys.entering.occasions.points.service import points_expiring
from regulars.reach.journeys.entering.occasions.service import Calendar, take_occasions
from regulars.reach.journeys.keeping.publishing.service import publish
from regulars.reach.journeys.keeping.service import put_journey, run_of
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.running.service import Means
from regulars.reach.journeys.telling.measuring.service import Assigned, tell_assigned
from regulars.reach.journeys.templates.catalogue import NAMES, Takes, find_template
from regulars.reach.journeys.templates.fitting import fit
from regulars.reach.journeys.walking.cohort import Decided, Doing
from regulars.reach.loyalty.ledger.records import Ask, Kind, text_of
from regulars.reach.loyalty.ledger.service import post_points
from regulars.reach.standing.gate import gate_of
from regulars.rehearse.journeys.truth import Truth
from regulars.rehearse.workspaces import workspace
from regulars.settings import ChannelSettings, Policy, Retailer, Settings
from regulars.twin import Contacts, Plan, Twin, birthdays, week_events

Progress = Callable[[str], None]
WEEKS, AFTER = 13, 5
"""Weeks the journeys run, and weeks after them in which nobody new comes in."""
_ASSIGNMENTS = "campaign_assignments"
EXPIRING = "Points Expiring"
DAYS_BEFORE = 30
"""Days before the end of points at which the template tells of them."""


@dataclass(frozen=True)
class Reading:
    """What came of one template.

    Attributes:
        template: Its name.
        entered: Customers who came in, those left alone not counted.
        held_out: Customers left alone so that its effect can be measured.
        contacts: Contacts that went out.
        tried: Messages a dry run over the same history hands over.
        handed: Messages the real run handed over.
        estimate: Margin measured, all treated customers together; None when unreadable.
        low: Lower end of its interval.
        high: Upper end.
        status: ok, srm or too_few; "" when nothing was measured.
        truth: Margin its contacts caused in the twin.
    """

    template: str
    entered: int
    held_out: int
    contacts: int
    tried: int
    handed: int
    estimate: float | None
    low: float | None
    high: float | None
    status: str
    truth: float


def rehearse_templates(
    folder: Path,
    plan: Plan,
    *,
    names: Sequence[str] = NAMES,
    weeks: int = WEEKS,
    after: int = AFTER,
    holdout: float = 0.2,
    workers: int = 2,
    progress: Progress = lambda _what: None,
) -> list[Reading]:
    """Run templates in a twin and read what each caused.

    Args:
        folder: An empty folder; the workspace and, in `world/`, the twin's files.
        plan: What the twin is begun with.
        names: Templates.
        weeks: Weeks they run, 1 or more.
        after: Weeks lived after them, so that windows pass.
        holdout: Share each leaves alone; more than the templates' own, so that intervals are
            narrower.
        workers: Threads of the engine.
        progress: Told what starts.

    Returns:
        One reading per template, in their order.
    """
    life = Life(folder, plan, names, holdout, workers)
    for week in range(1, weeks + after + 1):
        progress(f"week {week} of {weeks + after}")
        life.week(is_open=week <= weeks)
    progress("measuring")
    return life.readings(weeks)


class Life:
    """One twin and the workspace that runs journeys for it.

    Args:
        folder: An empty folder.
        plan: What the twin is begun with.
        names: Templates.
        holdout: Share each leaves alone.
        workers: Threads of the engine.
    """

    def __init__(
        self, folder: Path, plan: Plan, names: Sequence[str], holdout: float, workers: int
    ) -> None:
        """Live the history, import it, publish every template."""
        self._twin = Twin.begin(plan)
        self._world = folder / "world"
        state = self._twin.write_history(self._world / "week-000")
        _give_birthdays(self._twin, self._world / "week-000" / "customers.parquet")
        self._app = workspace(folder, _settings(self._twin), workers=workers)
        _import(self._app, self._world / "week-000")
        self._names, self._truth = tuple(names), Truth(self._twin, state, names)
        self._zone = ZoneInfo(self._twin.skin.zone)
        self._shelf = Shelf()
        self._waiting: list[tuple[str, str, str, str]] = []
        self._seen: set[Path] = set()
        self._contacts = dict.fromkeys(names, 0)
        self._turn(0)
        self._begin(holdout)

    def week(self, *, is_open: bool) -> None:
        """Live a week: what came out answers, then journeys hear of what happened.

        Args:
            is_open: False once nobody new is to come in.
        """
        before = self._truth.state
        contacts, of = self._answerable()
        outcome = self._truth.live(contacts, of)
        here = self._world / f"week-{outcome.week:03d}"
        self._twin.write_week(here, outcome, [f"{n}" for n in range(len(of))])
        orders = pq.read_table(here / "orders.parquet")
        _import(self._app, here)
        if is_open:
            events = week_events(self._twin.doors, before, outcome, orders)
            _keep_events(self._app, events, outcome.week, self._zone)
            self._pass_days(events, outcome.week)
        self._turn(outcome.week - self._twin.plan.history_weeks)

    def _begin(self, holdout: float) -> None:
        """Keep and publish every template on the first Monday, before anything happens."""
        app, now = self._app, self._midnight(self._twin.plan.history_weeks + 1)
        self._start = now
        for name in self._names:
            template, book = find_template(name), self._twin.rules.book
            offer = "" if template.takes is Takes.NONE else book.offers[1].offer_id
            given = fit(template, channels=list(book.channels), offer=offer).journey
            for node in given["nodes"].values():
                node.pop("content", None)  # files carry no words
            given["holdout"] = holdout
            put_journey(app.state, given, ground=Ground(book.channels), actor="rehearsal", now=now)
            publish(app.state, name, version=1, moves={}, actor="rehearsal", now=now)
        dates = {"points_expiring": partial(points_expiring, zone=app.settings.retailer.zone)}
        self._calendar = Calendar(app.settings, self._members, dates)

    def _pass_days(self, events: pa.Table, week: int) -> None:
        """Look every hour of the week, as a server would."""
        rows, at, place = events.to_pylist(), events["at"].to_pylist(), 0
        for hour in range(1, 7 * 24 + 1):
            now = self._midnight(week) + timedelta(hours=hour)
            ahead = place
            while ahead < len(at) and at[ahead] <= now.timestamp() * 1e6:
                ahead += 1
            self._look(rows[place:ahead], now, week, place)
            place = ahead

    def _look(self, rows: Sequence[dict[str, Any]], now: datetime, week: int, first: int) -> None:
        app = self._app
        happened = [
            Event(
                row["event"],
                row["customer_id"],
                f"{week}-{first + n}",
                datetime.fromtimestamp(row["at"] / 1e6, UTC),
                json.loads(row["says"]),
            )
            for n, row in enumerate(rows)
        ]
        with app.state.transaction() as opened:
            hand_in(opened, happened)
        self._earn([one for one in happened if one.name == EXPIRING], now)
        gate = gate_of(app.settings, now=now)
        means = Means(app.settings, gate, _Nobody(), _NothingChosen())
        take_occasions(app.state, self._shelf, self._calendar, now=now)
        advance(app.state, means, now=now, shelf=self._shelf)
        tell_assigned(app.state, self._shelf, self._assigned, now=now)
        tick(app.state, now=now, channels=app.channels, gate=gate)
        self._collect()

    def _earn(self, happened: Sequence[Event], now: datetime) -> None:
        """Give the points whose last days the twin tells: the ledger knows their end."""
        asks = [
            Ask(
                Kind.EARN,
                f"twin/{one.message}",
                one.customer_id,
                one.properties["points"],
                "twin",
                expires_at=text_of(_ends(one.at, self._zone)),
            )
            for one in happened
        ]
        if asks:
            post_points(self._app.state, asks, now=now)

    def _collect(self) -> None:
        """Read what the system handed over: the only way into the twin."""
        for path in sorted((self._app.folder / "outbox").glob("contacts-*.parquet")):
            if path not in self._seen:
                self._seen.add(path)
                for row in pq.read_table(path).to_pylist():
                    name = row["campaign"].removeprefix("journey/")
                    self._contacts[name] += 1
                    offer = row["offer"] or self._twin.rules.book.offers[0].offer_id
                    self._waiting.append((row["customer_id"], offer, row["channel"], name))

    def _answerable(self) -> tuple[Contacts, list[str]]:
        """One contact per customer, the first of the week; what carries no offer is news."""
        first = {one[0]: one for one in reversed(self._waiting)}
        rows = [first[customer] for customer in sorted(first)]
        self._waiting.clear()
        table = pa.table({
            name: pa.array([row[n] for row in rows], pa.string())
            for n, name in enumerate(("customer_id", "offer", "channel"))
        })
        return self._twin.contacts(table), [row[3] for row in rows]

    def _members(self, audience: Audience) -> frozenset[str]:
        app = self._app
        return members_now(app.engine, app.state, audience, zone=app.settings.retailer.zone)

    def _assigned(self, found: list[Assigned], number: int) -> None:
        rows = [_assignment(self._app, one, self._zone) for one in found]
        schema = self._app.lake.schema(_ASSIGNMENTS)
        table = pa.Table.from_pylist(rows, schema=schema)
        self._app.lake.append(_ASSIGNMENTS, table, application="journeys", version=number)

    def _turn(self, number: int) -> None:
        day = self._twin.monday(self._twin.plan.history_weeks + number) + timedelta(days=6)
        run_turn(self._app, day)

    def _midnight(self, week: int) -> datetime:
        return datetime.combine(self._twin.monday(week), time(), self._zone).astimezone(UTC)

    def readings(self, weeks: int) -> list[Reading]:
        """Read every template's effect, and try it on what was recorded meanwhile."""
        app, truth = self._app, self._truth.told()
        effects = app.engine.table("campaign_effects")
        found = []
        for name in self._names:
            mine = (effects.campaign_id == run_of(name)) & (effects.metric == "margin")
            rows = app.engine.rows(effects.filter(mine).order_by(effects.turn.desc()).limit(1))
            measured = rows[0] if rows else {}
            tried = self._tried(name, weeks)
            entered, held, handed = self._counted(name)
            found.append(
                Reading(
                    name, entered, held, self._contacts[name], tried.planned, handed,
                    measured.get("estimate"), measured.get("low"), measured.get("high"),
                    measured.get("status", ""), truth[name][0],
                )
            )  # fmt: skip
        return found

    def _counted(self, name: str) -> tuple[int, int, int]:
        with self._app.state.reading() as opened:
            rows = opened.all(
                "SELECT s.assignment, COUNT(DISTINCT s.customer_id) AS n FROM journey_states AS s "
                "JOIN journeys AS j USING (journey_no) WHERE j.journey_id = :name GROUP BY 1",
                name=name,
            )
            [sent] = opened.all(
                "SELECT COUNT(*) AS n FROM ledger WHERE run_id = :run", run=run_of(name)
            )
        drawn = {row["assignment"]: row["n"] for row in rows}
        return drawn.get(0, 0), drawn.get(1, 0), sent["n"]

    def _tried(self, name: str, weeks: int) -> DryRun:
        app = self._app
        with app.state.reading() as opened:
            [row] = opened.all(
                "SELECT v.definition FROM journey_versions AS v JOIN journeys AS j "
                "USING (journey_no) WHERE j.journey_id = :name",
                name=name,
            )
        journey = read_journey(json.loads(row["definition"]))
        sources = Sources(
            app.engine,
            app.state,
            app.settings,
            _Nobody(),
            self._members,
            self._calendar.dates,
        )
        until = self._start + timedelta(weeks=weeks)
        return dry_run(sources, journey, days=weeks * 7, now=until)


def _ends(at: datetime, zone: ZoneInfo) -> datetime:
    """When points end that the journey is to tell of on the day after a moment."""
    day = at.astimezone(zone).date() + timedelta(days=1 + DAYS_BEFORE + 1)
    return datetime.combine(day, time(), zone).astimezone(UTC)


class _Nobody:
    """Answers for templates, which ask no audience, decide nothing and act on nobody."""

    @staticmethod
    def belongs(_audience: Audience, customers: Sequence[str], /) -> list[bool]:
        """Put nobody into an audience."""
        return [False] * len(customers)

    @staticmethod
    def decide(
        _does: Decide, customers: Sequence[str], _of: Sequence[str], /
    ) -> list[Decided | None]:
        """Decide nothing."""
        return [None] * len(customers)

    @staticmethod
    def act(_kind: NodeKind, doings: Sequence[Doing], /) -> list[str | None]:
        """Do nothing."""
        return [""] * len(doings)


class _NothingChosen:
    """Chooses nothing for those who walk."""

    @staticmethod
    def decide(
        opened: Transaction,
        does: Decide,
        customers: Sequence[str],
        requests: Sequence[str],
        *,
        now: datetime,
    ) -> list[Decided | None]:
        """Decide nothing."""
        del opened, does, requests, now
        return [None] * len(customers)


def _give_birthdays(twin: Twin, path: Path) -> None:
    """Let the members' file say when everybody was born."""
    table = pq.read_table(path)
    pq.write_table(table.append_column("born_on", birthdays(twin.doors)), path)


def _import(app: App, folder: Path) -> None:
    import_files(
        app.lake,
        [folder],
        mapping_by_name(),
        zone=app.settings.retailer.zone,
        protector=app.protector,
    )


def _keep_events(app: App, events: pa.Table, week: int, zone: ZoneInfo) -> None:
    """Store the week's events where dry runs read them."""
    size = events.num_rows
    at = events["at"].cast(pa.timestamp("us", tz="UTC"))
    days = [moment.astimezone(zone).date() for moment in at.to_pylist()]
    told: dict[str, Any] = {
        "source": ["twin"] * size,
        "message_id": [f"{week}-{n}" for n in range(size)],
        "dialect": ["segment"] * size,
        "type": ["track"] * size,
        "event": events["event"],
        "occurred_at": at,
        "sent_at": at,
        "received_at": at,
        "business_date": pa.array(days, pa.date32()),
        "user_id": events["customer_id"],
        "payload": [f'{{"properties": {one}}}' for one in events["says"].to_pylist()],
        "receipt": ["twin"] * size,
        "is_late": [False] * size,
        "is_future": [False] * size,
        "log_partition": [0] * size,
        "log_sequence": [week] * size,
    }
    schema = app.lake.schema("events")
    columns = [told.get(name, pa.nulls(size, schema.field(name).type)) for name in schema.names]
    arrays = [
        one.cast(schema.field(name).type).combine_chunks()
        if isinstance(one, pa.ChunkedArray)
        else pa.array(one, schema.field(name).type)
        if isinstance(one, list)
        else one.cast(schema.field(name).type)
        for name, one in zip(schema.names, columns, strict=True)
    ]
    app.lake.append(
        "events", pa.Table.from_arrays(arrays, schema=schema), application="twin", version=week
    )


def _assignment(app: App, one: Assigned, zone: ZoneInfo) -> dict[str, Any]:
    everywhere, held = app.settings.loop.global_holdout, one.journey.holdout
    sent_to = (1 - held) * (1 - everywhere)
    chance = {
        CONTACT: sent_to,
        CAMPAIGN_HOLDOUT: held * (1 - everywhere),
        GLOBAL_HOLDOUT: everywhere,
    }
    return {
        "campaign_id": one.campaign_id,
        "version": one.version,
        "phase": "entered",
        "customer_id": one.customer_id,
        "assignment": one.assignment,
        "is_global_holdout": one.assignment == GLOBAL_HOLDOUT,
        "is_campaign_holdout": one.assignment == CAMPAIGN_HOLDOUT,
        "propensity": chance[one.assignment],
        "send_propensity": sent_to,
        "assigned_at": one.at,
        "business_date": one.at.astimezone(zone).date(),
        "window_days": one.journey.window_days,
    }


def _settings(twin: Twin) -> Settings:
    """One contact a week at most, as the twin takes them; few are held out of everything."""
    book, base = twin.rules.book, Settings()
    return Settings(
        retailer=Retailer(
            name=twin.skin.retailer,
            currency=twin.skin.currency,
            zone=twin.skin.zone,
            locale=twin.skin.locale,
        ),
        loop=replace(base.loop, seed=twin.plan.seed, global_holdout=0.02, weekly_budget=Decimal(0)),
        policy=replace(Policy(), cap_contacts=1, cap_days=7),
        channels={
            name: ChannelSettings(Decimal(str(round(float(cost), 2))))
            for name, cost in zip(book.channels, book.channel_costs, strict=True)
        },
    )
