"""The baseline policies of a rehearsal: what others would do with the same budget and rules."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from regulars.decide.budget import allocate
from regulars.errors import InputError, UnknownName
from regulars.numerics.hashing import uniforms
from regulars.rehearse.baselines.informed import mean_given
from regulars.rehearse.baselines.panel import Panel, empty_panel, observed, profile
from regulars.twin import Contacts, Outcome, State, Twin

Floats = NDArray[np.float64]

_STANDARD_OFFER = 1
"""The offer a retailer without a model sends to everybody: a percentage off one order."""


@dataclass(frozen=True)
class View:
    """What a policy is asked with, before a turn.

    Attributes:
        twin: The retailer; only `informed` and `oracle` ask it for its truth.
        state: Where the twin stands; other policies read just the consents.
        panel: What the retailer has seen under this policy.
        allowed: True where cap and consent allow a contact, shape (customers, channels).
        budget: Most the turn may spend.
        redeemed: Contacts redeemed so far under this policy, shape (offers, channels).
        sent: Contacts so far under this policy, shape (offers, channels).
    """

    twin: Twin
    state: State
    panel: Panel
    allowed: NDArray[np.bool_]
    budget: float
    redeemed: Floats
    sent: Floats

    @property
    def costs(self) -> Floats:
        """What a contact takes from the budget, shape (offers, channels)."""
        return self.twin.rules.book.costs

    def uniform(self, *purpose: object) -> Floats:
        """One number per customer, new each week."""
        return uniforms(self.twin.population.keys, self.twin.plan.seed, self.state.week, *purpose)


@dataclass(frozen=True)
class Played:
    """One policy over all turns; lists have one entry per turn.

    Attributes:
        name: The policy.
        margin: Margin of all customers, after offers and the cost of contacts.
        contacts: Customers contacted.
        spend: Taken from the budget: cost of contacts and planned cost of offers.
        opted_out: Customers who answered by leaving a channel.
        gross: Margin of all customers, after offers and before the cost of contacts.
        by_customer: The same per customer, summed over the turns; shape (customers,).
    """

    name: str
    margin: list[float] = field(default_factory=list)
    gross: list[float] = field(default_factory=list)
    contacts: list[int] = field(default_factory=list)
    spend: list[float] = field(default_factory=list)
    opted_out: list[int] = field(default_factory=list)
    by_customer: Floats = field(default_factory=lambda: np.zeros(0))

    def to_report(self) -> dict[str, list[float] | list[int]]:
        """Give the lists by the names `report.json` has."""
        parts = ("margin", "gross", "contacts", "spend", "opted_out")
        return {f"{part}_by_turn": getattr(self, part) for part in parts}


def play(
    twin: Twin, start: tuple[State, Panel], *, policy: str, budget: float, turns: int
) -> Played:
    """Let one policy run the twin; the same seed gives every policy the same luck.

    Args:
        twin: The retailer.
        start: The twin and the panel at the end of the history, as `watched_history` gives.
        policy: One of `POLICIES`.
        budget: Most a turn may spend.
        turns: Weekly turns.

    Returns:
        What the policy earned, turn by turn.

    Raises:
        UnknownName: There is no such policy.
        InputError: The budget is negative.
    """
    if policy not in POLICIES:
        raise UnknownName("policy", policy, POLICIES)
    if budget < 0:
        raise InputError(f"budget is {budget:g}, must be 0 or more")
    state, panel = start
    book = twin.rules.book
    played = Played(policy, by_customer=np.zeros(len(twin.population.ids)))
    redeemed, sent = np.zeros(book.costs.shape), np.zeros(book.costs.shape)
    for _ in range(turns):
        allowed = state.consent & panel.may_contact[:, None]
        view = View(twin, state, panel, allowed, budget, redeemed, sent)
        contacts = POLICIES[policy](view)
        state, outcome = twin.advance(state, contacts)
        panel = observed(panel, outcome)
        redeemed += _counted(contacts, outcome.redeemed[contacts.customer], sent.shape)
        sent += _counted(contacts, np.ones(len(contacts.customer)), sent.shape)
        add_week(played, outcome, book.costs, book.channel_costs)
    return played


def watched_history(twin: Twin) -> tuple[State, Panel]:
    """Live the weeks before the first turn and watch them."""
    state, panel = twin.first(), empty_panel(len(twin.population.ids))
    for after, outcome in twin.history():
        state, panel = after, observed(panel, outcome)
    return state, panel


def _counted(contacts: Contacts, weight: NDArray[np.generic], shape: tuple[int, ...]) -> Floats:
    place = contacts.offer * shape[1] + contacts.channel
    count = np.bincount(place, weight, minlength=shape[0] * shape[1])
    return np.asarray(count.reshape(shape), dtype=np.float64)


def add_week(played: Played, outcome: Outcome, costs: Floats, channel_costs: Floats) -> None:
    """Add what a week brought to what a policy earned.

    Args:
        played: The policy so far; it grows.
        outcome: The week.
        costs: What a contact takes from the budget, shape (offers, channels).
        channel_costs: Cost of one contact, shape (channels,).
    """
    contacts = outcome.contacts
    paid = float(channel_costs[contacts.channel].sum())
    earned = float(outcome.margin.sum())
    played.margin.append(round(earned - paid, 2))
    played.gross.append(round(earned, 2))
    played.contacts.append(len(contacts.customer))
    played.spend.append(round(float(costs[contacts.offer, contacts.channel].sum()), 2))
    played.opted_out.append(int(outcome.opted_out.sum()))
    played.by_customer[:] += outcome.margin


def nobody(_: View) -> Contacts:
    """Contact nobody."""
    return Contacts.none()


def everybody(view: View) -> Contacts:
    """Contact as many as cap, consent and budget allow: the cheapest offer, in random order."""
    offer = int(view.costs[:, 0].argmin())
    return _in_order(view, view.uniform("everybody"), np.full(view.allowed.shape[0], offer))


def random(view: View) -> Contacts:
    """Contact customers in random order, each with a random offer through a random channel."""
    offers = view.costs.shape[0]
    offer = (view.uniform("random offer") * offers).astype(np.int64)
    return _in_order(view, view.uniform("random"), offer, channel_draw=view.uniform("channel"))


def rfm(view: View) -> Contacts:
    """Contact the best RFM cells with the standard offer through the cheapest channel."""
    panel = view.panel
    score = sum(
        _fifth(values) for values in (panel.last_day, panel.orders / panel.week, panel.sales)
    )
    rank = -(score + view.uniform("rfm"))
    return _in_order(view, rank, np.full(len(rank), _STANDARD_OFFER))


def propensity(view: View) -> Contacts:
    """Contact those most likely to buy next week, with what was redeemed most so far."""
    panel, columns = view.panel, profile(view.twin, view.panel)
    weekly = 0.6 * panel.daily[:, -28:].sum(axis=1) / 4 + 0.4 * np.expm1(columns["frequency"] + 0.7)
    likely = 1 - np.exp(-weekly)
    standard = np.zeros(view.costs.shape)
    standard[_STANDARD_OFFER] = 1.0
    rate = (view.redeemed + standard) / (view.sent + 2 * standard + 1e-9)
    return _in_order(view, -likely, np.full(len(likely), int(rate.max(axis=1).argmax())))


def informed(view: View) -> Contacts:
    """Contact where the mean truth given the profile is worth most."""
    truth = view.twin.expected_effects(view.state)
    flat = truth.reshape(len(truth), -1)
    known = mean_given(profile(view.twin, view.panel), flat,
                       keys=view.twin.population.keys, seed=view.twin.plan.seed)  # fmt: skip
    return _worth_most(view, known.reshape(truth.shape))


def oracle(view: View) -> Contacts:
    """Contact where the customer's own expected effect is worth most: nobody can know it."""
    return _worth_most(view, view.twin.expected_effects(view.state))


POLICIES: dict[str, Callable[[View], Contacts]] = {
    "nobody": nobody,
    "everybody": everybody,
    "random": random,
    "rfm": rfm,
    "propensity": propensity,
    "informed": informed,
    "oracle": oracle,
}


def _worth_most(view: View, effects: Floats) -> Contacts:
    """Spend the budget where effect less cost of contact is greatest."""
    value = effects - view.twin.rules.book.channel_costs
    value = np.where(view.allowed[:, None, :], value, -np.inf)
    shape = value.shape
    chosen = allocate(value.reshape(shape[0], -1), view.costs.reshape(-1), budget=view.budget)
    customer = np.flatnonzero(chosen.choice >= 0)
    action = chosen.choice[customer]
    return Contacts(customer, action // shape[2], action % shape[2])


def _in_order(
    view: View, rank: Floats, offer: NDArray[np.int64], channel_draw: Floats | None = None
) -> Contacts:
    """Contact the allowed in ascending rank until the budget is spent.

    Without a draw each goes through his cheapest allowed channel, with one through a random
    allowed channel.

    Returns:
        The contacts the budget pays for.
    """
    order = np.argsort(view.twin.rules.book.channel_costs, kind="stable")
    allowed = view.allowed[:, order]
    count = allowed.sum(axis=1)
    nth = np.zeros(len(rank)) if channel_draw is None else np.floor(channel_draw * count)
    place = ((allowed.cumsum(axis=1) > nth[:, None]) & allowed).argmax(axis=1)
    channel = order[place]
    customer = np.flatnonzero(count > 0)
    customer = customer[np.argsort(rank[customer], kind="stable")]
    spend = np.cumsum(view.costs[offer[customer], channel[customer]])
    taken = np.sort(customer[spend <= view.budget + 1e-9])
    return Contacts(taken, offer[taken], channel[taken])


def _fifth(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Fifth of the customers each belongs to, 4 for the highest."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(ranks * 5 // max(len(ranks), 1))
