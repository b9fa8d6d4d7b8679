"""What a contact is expected to cause, in closed form: the truth only oracles may read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.twin.catalogue import CHANNELS, Catalogue
from regulars.twin.draws import cumulative
from regulars.twin.population import Population, Response
from regulars.twin.state import DEBT_WEEKS, State

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """The laws of one twin.

    Attributes:
        values: Figures of its world.
        book: What it sells and offers.
        season: Orders of a week over the usual, repeating, shape (weeks,).
        shift_week: First week answered as after the shift; 0 for never.
        outage_week: First week of a channel's outage; 0 for never.
    """

    values: Mapping[str, float]
    book: Catalogue
    season: Floats
    shift_week: int = 0
    outage_week: int = 0

    def season_of(self, week: int) -> float:
        """Season of a week, counted from 1."""
        return float(self.season[(week - 1) % len(self.season)])

    def response(self, population: Population, week: int) -> Response:
        """How customers answer contacts in a week."""
        shifted = 0 < self.shift_week <= week
        return population.after if shifted else population.before

    def arrival(self, week: int) -> Floats:
        """Share of contacts that arrive in a week, by channel; shape (channels,)."""
        lost = np.zeros(len(CHANNELS))
        begun = self.outage_week
        if 0 < begun <= week < begun + self.values["outage.weeks"]:
            lost[0] = self.values["outage.sms"]
        return 1 - lost

    def harm(self, fatigue: Floats) -> Floats:
        """Share of visits left under a fatigue."""
        over = np.maximum(fatigue - self.values["fatigue.bearable"], 0)
        return np.asarray(np.exp(-self.values["fatigue.harms"] * self.values["effects.on"] * over))

    def notice(self, share: Floats, fatigue: Floats) -> Floats:
        """Probability a contact is noticed under a fatigue."""
        return np.asarray(share * np.exp(-self.values["fatigue.deafens"] * fatigue))

    def leaving(self, fatigue: Floats) -> Floats:
        """Probability of opting out when contacted under a fatigue."""
        share = self.values["leave.base"] * np.exp(self.values["leave.fatigue"] * fatigue)
        return np.asarray(np.minimum(share, self.values["leave.most"]) * self.values["effects.on"])

    @property
    def winback(self) -> float:
        """Probability that a noticed contact brings a quiet customer back."""
        return self.values["winback.share"] * self.values["effects.on"]

    @property
    def maker_coupon(self) -> float:
        """A maker's coupon over what is paid beside it."""
        return self.values["customers.coupon_value"] / (1 - self.values["customers.coupon_value"])

    @property
    def borrowing(self) -> Floats:
        """Share of an added order missing 1, 2, 3 weeks later."""
        parts = [self.values[f"borrow.week_{week}"] for week in range(1, DEBT_WEEKS + 1)]
        return np.array(parts) * self.values["borrow.share"]


@dataclass(frozen=True)
class WeekEffects:
    """Expected effect of a contact within its own week.

    Attributes:
        orders: Orders added, shape (customers, offers, channels).
        sales: Money added, after offers.
        margin: Margin added, after offers, before the cost of the contact.
    """

    orders: Floats
    sales: Floats
    margin: Floats


def expected_discounts(population: Population, book: Catalogue) -> Floats:
    """Money an offer takes off the order it is used on, on average, shape (customers, offers)."""
    columns = []
    for offer in book.offers:
        if offer.amount:
            reach = np.log(offer.least / population.basket) + population.spread**2 / 2
            columns.append(offer.amount * cumulative(-reach / population.spread))
        else:
            part = population.private_share if offer.own_brands else 1.0
            columns.append(offer.share * part * population.basket)
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class _Answer:
    """Parts of the expected answer to a contact in the coming week.

    Attributes:
        shopping: Probability of being a shopper, shape (customers, 1, 1).
        visits: Orders of a shopper without a contact, shape (customers, 1, 1).
        stay: Orders of a shopper that a contact does not add, shape (customers, 1, 1).
        added: Orders a noticed contact adds, shape (customers, offers, 1).
        noticed: Probability of notice, shape (customers, 1, channels).
        discount: Money taken off when noticed, shape (customers, offers, 1).
    """

    shopping: Floats
    visits: Floats
    stay: Floats
    added: Floats
    noticed: Floats
    discount: Floats


def _answer(rules: Rules, population: Population, state: State) -> _Answer:
    week, fatigue = state.week + 1, state.fatigue
    response, season = rules.response(population, week), rules.season_of(week)
    usual = population.rate * season * _debt_share(population, state.debt[:, 0])
    tired = rules.harm(fatigue + rules.values["fatigue.gain"])
    stay = usual * tired * (1 - population.loss)
    added = response.lift * season
    # The first order added uses the offer; without one, a would-be buyer's first order does.
    anyway = population.redeem * (1 - np.exp(-stay))[:, None]
    uses = (1 - np.exp(-added) * (1 - anyway)) * rules.values["effects.on"]
    return _Answer(
        shopping=np.where(state.shopping, 1 - population.drop, population.back)[:, None, None],
        visits=(usual * rules.harm(fatigue))[:, None, None],
        stay=stay[:, None, None],
        added=added[:, :, None],
        noticed=rules.notice(response.notice, fatigue[:, None])[:, None, :],
        discount=(expected_discounts(population, rules.book) * uses)[:, :, None],
    )


def _debt_share(population: Population, debt: Floats) -> Floats:
    return np.asarray(np.exp(-debt / population.rate))


def week_effects(rules: Rules, population: Population, state: State) -> WeekEffects:
    """Answer what each contact would cause in the coming week, noise apart.

    Args:
        rules: The laws.
        population: The customers.
        state: The twin at the end of the last week.

    Returns:
        Effects for every customer, offer and channel, whether allowed or not. Exact up to
        rounding to cents.
    """
    part = _answer(rules, population, state)
    quiet = 1 - part.shopping
    orders = part.shopping * (part.stay - part.visits + part.noticed * part.added)
    orders += quiet * part.noticed * rules.winback * (part.stay + part.added)
    used = part.noticed * part.discount * (part.shopping + quiet * rules.winback)
    basket = population.basket[:, None, None]
    sales = orders * basket - used
    margin = orders * basket * population.margin_rate[:, None, None] - used
    arrival = rules.arrival(state.week + 1)[None, None, :]
    return WeekEffects(orders * arrival, sales * arrival, margin * arrival)


def expected_effects(rules: Rules, population: Population, state: State) -> Floats:
    """Answer what a contact now is worth: its own week and the weeks after.

    Counts the added orders, the offer's discount (also to those who would have bought),
    orders pulled forward from the next weeks, visits lost to dislike and fatigue, quiet
    customers brought back, weaker answers to later contacts, and the value of later contacts
    lost by opting out.

    Args:
        rules: The laws.
        population: The customers.
        state: The twin at the end of the last week.

    Returns:
        Expected margin after offers and before the cost of the contact, shape (customers,
        offers, channels), in the skin's currency.
    """
    arrival = rules.arrival(state.week + 1)[None, None, :]
    value = np.asarray(week_effects(rules, population, state).margin / np.maximum(arrival, 1e-12))
    part = _answer(rules, population, state)
    for ahead in range(1, int(rules.values["future.weeks"]) + 1):
        value += _later(rules, population, state, part, ahead)
    return np.asarray((value - _lost_chances(rules, state, value)) * arrival)


def _later(rules: Rules, population: Population, state: State, part: _Answer, ahead: int) -> Floats:
    """Margin won or lost some weeks after the week of the contact."""
    values = rules.values
    usual = population.rate * rules.season_of(state.week + 1 + ahead)
    if ahead < DEBT_WEEKS:
        usual *= _debt_share(population, state.debt[:, ahead])
    worth = (usual * population.basket * population.margin_rate)[:, None, None]
    kept = values["fatigue.keep"] ** ahead
    tired = rules.harm((state.fatigue + values["fatigue.gain"]) * kept)[:, None, None]
    rested = rules.harm(state.fatigue * kept)[:, None, None]
    left: Floats = tired
    if ahead <= DEBT_WEEKS:
        share = np.expm1(-rules.borrowing[ahead - 1] / population.rate)[:, None, None]
        left = tired * (1 - part.noticed * (1 - np.exp(part.added * share)))
    stayed = part.shopping * ((1 - population.drop) ** ahead)[:, None, None]
    alone = (1 - population.drop) * (1 - population.back)
    returned = (1 - part.shopping) * (alone**ahead)[:, None, None]
    return np.asarray(worth * (stayed * (left - rested) + returned * part.noticed * rules.winback))


def _lost_chances(rules: Rules, state: State, value: Floats) -> Floats:
    """Value of later contacts that this one spoils, by opting out or by fatigue."""
    values = rules.values
    weeks = np.arange(1, int(values["future.weeks"]) + 1)
    pace = values["future.pace"]
    best = np.where(state.consent, np.maximum(value.max(axis=1), 0), 0)
    ranked = np.sort(best, axis=1)
    others = np.where(best == ranked[:, -1:], ranked[:, -2:-1], ranked[:, -1:])
    missed = np.maximum(ranked[:, -1:] - others, 0) * pace * len(weeks)
    leaving = rules.leaving(state.fatigue + values["fatigue.gain"])
    deafer = -np.expm1(
        -values["fatigue.deafens"] * values["fatigue.gain"] * values["fatigue.keep"] ** weeks
    )
    weaker = ranked[:, -1] * pace * float(deafer.sum())
    return np.asarray((leaving[:, None] * missed + weaker[:, None])[:, None, :])
