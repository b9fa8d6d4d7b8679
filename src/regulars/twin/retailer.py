"""The twin as a whole: a simulated grocer that lives week by week and can be picked up again."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.errors import InputError, NotReady
from regulars.twin.catalogue import catalogue
from regulars.twin.doors import (
    Doors,
    Skin,
    offers_file,
    read_contacts,
    skin_named,
    starting_facts,
    week_facts,
    write_facts,
)
from regulars.twin.figures import figures
from regulars.twin.households import read_households
from regulars.twin.population import Population, populate
from regulars.twin.response import Rules, WeekEffects, expected_effects, week_effects
from regulars.twin.state import State, first_state, load_state, save_state
from regulars.twin.week import Contacts, Outcome, advance

Floats = NDArray[np.float64]

FIRST_DAY = date(2026, 1, 5)
"""A Monday; week 1 of the twin has the season of week 2 of the data."""
_PLAN, _STATE = "twin.json", "state.npz"


@dataclass(frozen=True)
class Plan:
    """What a twin was begun with.

    Attributes:
        customers: How many.
        seed: Root of every draw.
        world: normal, null, hostile, shift or outage.
        skin: zh or us.
        history_weeks: Weeks lived before the first turn, without contacts.
        turns: Weekly turns planned; the shift or the outage comes after half of them.
    """

    customers: int
    seed: int
    world: str = "normal"
    skin: str = "us"
    history_weeks: int = 26
    turns: int = 12


@dataclass(frozen=True)
class Twin:
    """A simulated grocer: its laws and its customers. What changes is in `State`.

    Attributes:
        plan: What it was begun with.
        skin: Names, money and places.
        rules: Its laws.
        population: Its customers.
    """

    plan: Plan
    skin: Skin
    rules: Rules
    population: Population

    @classmethod
    def begin(cls, plan: Plan) -> "Twin":
        """Make a twin; the same plan always makes the same.

        Returns:
            The twin, before its first week.

        Raises:
            UnknownName: There is no such world or skin.
            InputError: A number of the plan is too small.
            NotReady: The package with the real households is not installed.
        """
        for name, least in (("customers", 1), ("history_weeks", 0), ("turns", 1)):
            if getattr(plan, name) < least:
                raise InputError(f"{name} is {getattr(plan, name)}, must be {least} or more")
        values, skin, households = figures(plan.world), skin_named(plan.skin), read_households()
        scale = values[f"scale.{plan.skin}"]
        book = catalogue(
            values, scale=scale, channels=skin.channels, offer_names=skin.offer_names,
            households=households,
        )  # fmt: skip
        shifts = plan.world == "shift"
        population = populate(
            plan.customers, seed=plan.seed, values=values, households=households, book=book,
            scale=scale, shifts=shifts,
        )  # fmt: skip
        shift_week = plan.history_weeks + plan.turns // 2 + 1 if shifts else 0
        outage_week = plan.history_weeks + plan.turns // 2 + 1 if plan.world == "outage" else 0
        rules = Rules(values, book, households.season, shift_week, outage_week)
        return cls(plan, skin, rules, population)

    def first(self) -> State:
        """Give the state before the first week."""
        return first_state(self.population)

    def advance(self, state: State, contacts: Contacts) -> tuple[State, Outcome]:
        """Live one week; the state given is left as it is."""
        return advance(self.rules, self.population, state, contacts, seed=self.plan.seed)

    def history(self) -> Iterator[tuple[State, Outcome]]:
        """Live the weeks before the first turn, in which nobody is contacted."""
        state = self.first()
        for _ in range(self.plan.history_weeks):
            state, outcome = self.advance(state, Contacts.none())
            yield state, outcome

    def expected_effects(self, state: State) -> Floats:
        """Truth: margin each contact now is worth, shape (customers, offers, channels)."""
        return expected_effects(self.rules, self.population, state)

    def week_effects(self, state: State) -> WeekEffects:
        """Truth: what each contact would cause within the coming week."""
        return week_effects(self.rules, self.population, state)

    def suggested_budget(self) -> float:
        """Weekly budget that reaches about three customers in ten."""
        scale = self.rules.values[f"scale.{self.plan.skin}"]
        per_customer = self.rules.values["budget.per_customer"] * scale
        return round(per_customer * self.plan.customers, 2)

    def monday(self, week: int) -> date:
        """First day of a week, counted from 1."""
        return self.doors.monday(week)

    @property
    def doors(self) -> Doors:
        """What is needed to write facts and read contacts."""
        return Doors(self.skin, self.population, self.rules.book, FIRST_DAY, self.rules.values)

    def write_history(self, folder: Path) -> State:
        """Live and write everything before the first turn; offers.csv too.

        Args:
            folder: Where customers, products, stores, consents, orders and order_lines go.

        Returns:
            The twin at the end of the history.
        """
        facts = {
            name: [table] for name, table in starting_facts(self.doors, read_households()).items()
        }
        state = self.first()
        for after, outcome in self.history():
            state = after
            for name, table in week_facts(self.doors, outcome, turn=0, keys=[]).items():
                facts.setdefault(name, []).append(table)
        write_facts(folder, facts)
        self.write_offers(folder)
        return state

    def write_offers(self, folder: Path) -> Path:
        """Write offers.csv; gives the file."""
        return offers_file(self.doors, folder)

    def write_week(self, folder: Path, outcome: Outcome, keys: Sequence[str]) -> None:
        """Write what a week brought.

        Args:
            folder: Where orders, order_lines, redemptions, contact_outcomes and consents go;
                a fact without rows has no file.
            outcome: The week.
            keys: Keys of the contacts, in the order of `outcome.contacts`.
        """
        turn = outcome.week - self.plan.history_weeks
        facts = week_facts(self.doors, outcome, turn=turn, keys=keys)
        write_facts(folder, {name: [table] for name, table in facts.items()})

    def contacts(self, rows: pa.Table) -> Contacts:
        """Read contacts handed over by the system, in the order of the rows."""
        return read_contacts(self.doors, rows)

    def save(self, state: State, folder: Path) -> None:
        """Keep the twin and where it stands, so that a killed run continues."""
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{_PLAN}.part"
        part.write_text(json.dumps(asdict(self.plan), indent=1), encoding="utf-8")
        part.replace(folder / _PLAN)
        save_state(state, folder / _STATE)

    @classmethod
    def resume(cls, folder: Path) -> tuple["Twin", State]:
        """Pick a saved twin up.

        Returns:
            The twin, and where it stood when it was saved.

        Raises:
            NotReady: No twin was saved in the folder.
        """
        if not (folder / _STATE).is_file():
            raise NotReady(f"{folder} holds no twin; begin one first")
        plan = Plan(**json.loads((folder / _PLAN).read_text(encoding="utf-8")))
        return cls.begin(plan), load_state(folder / _STATE)
