"""One week of the twin's customers: contacts in, orders and answers out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.numerics.hashing import uniforms
from regulars.twin.catalogue import CHANNELS, OFFERS
from regulars.twin.draws import normal, one_each, poisson
from regulars.twin.households import CATEGORIES_EACH
from regulars.twin.population import Population
from regulars.twin.response import Rules
from regulars.twin.state import State

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_CAUSED = 100
"""Number of the first caused order of a customer's week, so that its draws are its own."""


@dataclass(frozen=True)
class Contacts:
    """Contacts of one week, at most one per customer.

    Attributes:
        customer: Row of the customer, shape (contacts,).
        offer: Place of the offer in `OFFERS`.
        channel: Place of the channel in `CHANNELS`.
    """

    customer: Integers
    offer: Integers
    channel: Integers

    @classmethod
    def none(cls) -> "Contacts":
        """Nobody is contacted."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty)


@dataclass(frozen=True)
class Orders:
    """Orders of one week, customer by customer; money in cents.

    Attributes:
        customer: Row of the customer, shape (orders,).
        number: The customer's order of the week; from 100 on, orders a contact added.
        keys: Keys of the orders.
        day: Day of the week, 0 for Monday.
        uses_offer: True when the contact's offer was used on it.
    """

    customer: Integers
    number: Integers
    keys: NDArray[np.uint64]
    day: Integers
    uses_offer: Booleans


@dataclass(frozen=True)
class Lines:
    """Lines of the week's orders; money in cents.

    Attributes:
        order: Row of the order, ascending, shape (lines,).
        number: Line within the order, from 0.
        product: Row of the product.
        sales: Paid, after every discount.
        offer_discount: Taken off by the contact's offer.
        maker_discount: Taken off by a maker's coupon, which the maker pays.
        shelf_discount: Taken off on the shelf, which the maker pays.
        cost: What the goods cost the retailer.
    """

    order: Integers
    number: Integers
    product: Integers
    sales: Integers
    offer_discount: Integers
    maker_discount: Integers
    shelf_discount: Integers
    cost: Integers


@dataclass(frozen=True)
class Outcome:
    """What a week brought; arrays over customers, money in the skin's currency.

    Attributes:
        week: Number of the week, from 1.
        orders: Orders made.
        sales: Paid, after every discount.
        margin: Sales less cost of goods: after offers, before the cost of contacts.
        discount_given: Taken off by the contacts' offers.
        redeemed: True when the contact's offer was used.
        arrived: True when the contact reached the customer.
        noticed: True when the contact was opened.
        opted_out: True when the customer answered by leaving the channel.
        contacts: The contacts answered.
        order_rows: The orders.
        line_rows: Their lines.
    """

    week: int
    orders: Integers
    sales: Floats
    margin: Floats
    discount_given: Floats
    redeemed: Booleans
    arrived: Booleans
    noticed: Booleans
    opted_out: Booleans
    contacts: Contacts
    order_rows: Orders
    line_rows: Lines


@dataclass(frozen=True)
class _Answers:
    """What each customer does with the week; arrays over customers."""

    arrived: Booleans
    noticed: Booleans
    shopping: Booleans
    fatigue: Floats
    usual: Integers
    added: Integers
    uses: Booleans
    opted_out: Booleans


def advance(
    rules: Rules, population: Population, state: State, contacts: Contacts, *, seed: int
) -> tuple[State, Outcome]:
    """Live one week.

    Every draw is keyed by seed, customer, week and purpose, so a customer who is treated
    alike in two runs does the same in both.

    Args:
        rules: The laws.
        population: The customers.
        state: The twin at the end of the last week; left as it is.
        contacts: Contacts at the start of the week.
        seed: Root of the draws.

    Returns:
        The twin at the end of the week, and what the week brought.

    Raises:
        InputError: A customer is contacted twice, or a row, offer or channel does not exist.
    """
    size = len(population.ids)
    offer, channel = _by_customer(contacts, size)
    answers = _answers(rules, population, state, offer, channel, seed=seed)
    orders = _orders(population, answers, offer, seed=seed, week=state.week + 1)
    lines, orders = _lines(rules, population, orders, offer, seed=seed, week=state.week + 1)
    consent = state.consent.copy()
    consent[answers.opted_out, channel[answers.opted_out]] = False
    debt = np.concatenate([state.debt[:, 1:], np.zeros((size, 1))], axis=1)
    after = State(
        week=state.week + 1,
        shopping=answers.shopping,
        debt=debt + answers.added[:, None] * rules.borrowing[None, :],
        fatigue=answers.fatigue * rules.values["fatigue.keep"],
        consent=consent,
    )
    return after, _outcome(after.week, contacts, orders, lines, answers)


def _answers(
    rules: Rules,
    population: Population,
    state: State,
    offer: Integers,
    channel: Integers,
    *,
    seed: int,
) -> _Answers:
    """Draw what each customer does with the week."""
    week, everybody = state.week + 1, np.arange(len(offer))

    def uniform(purpose: str) -> Floats:
        return uniforms(population.keys, seed, week, purpose)

    contacted = offer >= 0
    response = rules.response(population, week)
    arrived = contacted & (uniform("arrives") < rules.arrival(week)[channel])
    notice = rules.notice(response.notice[everybody, channel] * arrived, state.fatigue)
    noticed = uniform("notice") < notice
    moved = uniform("shopping")
    shopping = np.where(state.shopping, moved >= population.drop, moved < population.back)
    shopping |= noticed & (uniform("winback") < rules.winback)
    fatigue = state.fatigue + rules.values["fatigue.gain"] * arrived
    left = rules.harm(fatigue) * (1 - population.loss * arrived)
    left *= np.exp(-state.debt[:, 0] / population.rate) * rules.season_of(week) * shopping
    lift = response.lift[everybody, offer] * rules.season_of(week) * noticed * shopping
    return _Answers(
        arrived=arrived,
        noticed=noticed,
        shopping=shopping,
        fatigue=fatigue,
        usual=poisson(uniform("visits"), population.rate * left),
        added=poisson(uniform("added"), lift),
        uses=(uniform("redeem") < population.redeem[everybody, offer]) & noticed,
        opted_out=arrived & (uniform("leave") < rules.leaving(fatigue)),
    )


def _by_customer(contacts: Contacts, size: int) -> tuple[Integers, Integers]:
    """Offer and channel of each customer's contact, -1 for none."""
    if len(np.unique(contacts.customer)) != len(contacts.customer):
        raise InputError("a customer is contacted twice in one week; give one contact each")
    for name, values, most in (
        ("customer", contacts.customer, size),
        ("offer", contacts.offer, len(OFFERS)),
        ("channel", contacts.channel, len(CHANNELS)),
    ):
        wrong = values[(values < 0) | (values >= most)]
        if wrong.size:
            raise InputError(f"{name} is {wrong[0]}, must be from 0 to {most - 1}")
    offer = np.full(size, -1, dtype=np.int64)
    channel = np.full(size, -1, dtype=np.int64)
    offer[contacts.customer] = contacts.offer
    channel[contacts.customer] = contacts.channel
    return offer, channel


def _orders(
    population: Population, answers: _Answers, offer: Integers, *, seed: int, week: int
) -> Orders:
    """List the orders of everybody: the usual ones, then those the contact added.

    The first order the contact added uses the offer; where it added none, the first usual
    order does when the customer is one to use a coupon anyway.

    Returns:
        The orders, customer by customer; whether an order is large enough for its offer is
        not looked at yet.
    """
    usual, added = answers.usual, answers.added
    customer = np.repeat(np.arange(len(usual)), usual + added)
    place = _within(customer, usual + added)
    number = np.where(place >= usual[customer], place - usual[customer] + _CAUSED, place)
    keys = one_each(population.keys[customer], number)
    weekend = population.weekend_share[customer]
    draw = uniforms(keys, seed, week, "day")
    day = np.where(draw < weekend, 5 + 2 * draw / weekend, 5 * (draw - weekend) / (1 - weekend))
    first = np.where(added[customer] > 0, number == _CAUSED, (number == 0) & answers.uses[customer])
    uses_offer = first & answers.noticed[customer] & (offer[customer] >= 0)
    return Orders(customer, number, keys, np.minimum(day.astype(np.int64), 6), uses_offer)


def _within(parent: Integers, count: Integers) -> Integers:
    """Place of each child among its parent's children, from 0."""
    return np.asarray(np.arange(len(parent)) - np.repeat(np.cumsum(count) - count, count))


def _lines(
    rules: Rules, population: Population, orders: Orders, offer: Integers, *, seed: int, week: int
) -> tuple[Lines, Orders]:
    """Fill the orders with lines; give the orders back with only the offers that took money off."""
    cents = _order_cents(population, orders, seed=seed, week=week)
    usual = rules.book.usual_order * 100
    count = 1 + (2 * cents > usual) + (cents > usual).astype(np.int64) + (cents > 2 * usual)
    order = np.repeat(np.arange(len(count)), count)
    number = _within(order, count)
    keys, buyer = one_each(orders.keys[order], number), orders.customer[order]
    gross = _split(cents, order, number, 0.5 + uniforms(keys, seed, week, "split"))
    product = _products(rules, population, buyer, keys, seed=seed, week=week)
    share = _offer_share(rules, orders, offer, cents)[order]
    own_only = np.array([part.own_brands for part in rules.book.offers])[offer[buyer]]
    off = np.rint(gross * share * (~own_only | (product % 2 == 1))).astype(np.int64)
    shelf = 2 * uniforms(keys, seed, week, "shelf") * population.discount_share[buyer]
    shelf = np.minimum(shelf, 0.9)
    margin = rules.book.margin[product // (2 * CATEGORIES_EACH)]
    lines = Lines(
        order=order,
        number=number,
        product=product,
        sales=gross - off,
        offer_discount=off,
        maker_discount=_maker_discount(rules, population, orders, cents, seed=seed, week=week)[
            order
        ]
        * (number == 0),
        shelf_discount=np.rint(gross * shelf / (1 - shelf)).astype(np.int64),
        cost=np.rint(gross * (1 - margin)).astype(np.int64),
    )
    return lines, replace(orders, uses_offer=np.bincount(order, off, minlength=len(cents)) > 0)


def _maker_discount(
    rules: Rules,
    population: Population,
    orders: Orders,
    cents: Integers,
    *,
    seed: int,
    week: int,
) -> Integers:
    """Cents a maker's coupon takes off each order: beside what is paid, and not our cost."""
    share = population.coupon_share[orders.customer]
    has_one = uniforms(orders.keys, seed, week, "maker") < share
    return np.asarray(np.rint(cents * has_one * rules.maker_coupon).astype(np.int64))


def _order_cents(population: Population, orders: Orders, *, seed: int, week: int) -> Integers:
    """Money of each order before offers, in cents, at least one."""
    z = normal(uniforms(orders.keys, seed, week, "basket"))
    spread = population.spread[orders.customer]
    worth = population.basket[orders.customer] * np.exp(spread * z - spread**2 / 2)
    return np.asarray(np.maximum(np.rint(worth * 100), 1).astype(np.int64))


def _products(
    rules: Rules,
    population: Population,
    buyer: Integers,
    keys: NDArray[np.uint64],
    *,
    seed: int,
    week: int,
) -> Integers:
    """Draw the product of each line: department by the buyer's taste, then category and brand."""
    draw = uniforms(keys, seed, week, "department")
    department = (population.tastes[buyer, :-1] < draw[:, None]).sum(axis=1)
    draw = uniforms(keys, seed, week, "category")
    category = (rules.book.categories[department, :-1] < draw[:, None]).sum(axis=1)
    private = uniforms(keys, seed, week, "brand") < population.private[buyer, department]
    return np.asarray((department * CATEGORIES_EACH + category) * 2 + private)


def _split(cents: Integers, order: Integers, number: Integers, weight: Floats) -> Integers:
    """Split each order's cents over its lines; the first line takes what rounding leaves."""
    total = np.bincount(order, weight, minlength=len(cents))
    part = np.floor(cents[order] * weight / total[order]).astype(np.int64)
    spare = cents - np.bincount(order, part, minlength=len(cents)).astype(np.int64)
    part[number == 0] += spare
    return part


def _offer_share(rules: Rules, orders: Orders, offer: Integers, cents: Integers) -> Floats:
    """Share the offer takes off each order; 0 where it is not used or the order is too small."""
    offers = rules.book.offers
    own = offer[orders.customer]
    least = np.array([part.least for part in offers])[own] * 100
    amount = np.array([part.amount for part in offers])[own] * 100
    share = np.array([part.share for part in offers])[own] + amount / cents
    holds = orders.uses_offer & (cents >= least)
    return np.where(holds, share, 0.0)


def _outcome(
    week: int, contacts: Contacts, orders: Orders, lines: Lines, answers: _Answers
) -> Outcome:
    size = len(answers.noticed)
    buyer = orders.customer[lines.order]

    def money(cents: Integers) -> Floats:
        return np.asarray(np.bincount(buyer, cents, minlength=size) / 100)

    redeemed = np.zeros(size, dtype=bool)
    redeemed[orders.customer[orders.uses_offer]] = True
    return Outcome(
        week=week,
        orders=answers.usual + answers.added,
        sales=money(lines.sales),
        margin=money(lines.sales - lines.cost),
        discount_given=money(lines.offer_discount),
        redeemed=redeemed,
        arrived=answers.arrived,
        noticed=answers.noticed,
        opted_out=answers.opted_out,
        contacts=contacts,
        order_rows=orders,
        line_rows=lines,
    )
