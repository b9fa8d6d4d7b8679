"""The best fixed split: money by segment, offer and channel, fitted once and then held."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from regulars.errors import InputError
from regulars.rehearse.baselines.panel import CAP_CONTACTS, CAP_WEEKS, Panel, observed
from regulars.rehearse.baselines.policies import Played, View, add_week, random
from regulars.twin import Contacts, State, Twin

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FIT_TURNS = 8
SEGMENTS = 8
"""Recency, frequency and money, each above its median or not."""


@dataclass(frozen=True)
class Cells:
    """What the turns of the fit showed, summed over them.

    Attributes:
        worth: True margin of one contact after its cost, mean over the customers of the
            segment who allow the channel; shape (segments, offers, channels).
        people: Customers who allow some channel; shape (segments,).
        reach: Customers who allow each channel; shape (segments, channels).
    """

    worth: Floats
    people: Floats
    reach: Floats


def play_fixed_split(
    twin: Twin, start: tuple[State, Panel], *, budget: float, turns: int, fit_turns: int = FIT_TURNS
) -> Played:
    """Try everything at random first, then hold the split that was best by the truth of that time.

    The fit is better than anybody's could be: what a contact is worth in each cell is read from
    the twin's truth, without noise. What the split cannot do is look at single customers, or
    change.

    Args:
        twin: The retailer.
        start: The twin and the panel at the end of the history, as `watched_history` gives.
        budget: Most a turn may spend.
        turns: Weekly turns, more than `fit_turns`.
        fit_turns: First turns, in which customers, offers and channels are drawn at random.

    Returns:
        What it earned, turn by turn, the turns of the fit included.

    Raises:
        InputError: There is no turn after the fit.

    Source:
        Ours, because "static" must mean the best static: the split solves the linear programme
        whose optimum no other split of the same cells can pass on the turns it is fitted on.
    """
    if not 1 <= fit_turns < turns:
        raise InputError(f"fit_turns is {fit_turns}, must be 1 to {turns - 1} with {turns} turns")
    state, panel = start
    book, played = twin.rules.book, Played("fixed_split", by_customer=np.zeros(len(panel.orders)))
    nothing = np.zeros(book.costs.shape)
    seen: list[Cells] = []
    split = nothing
    for turn in range(turns):
        allowed = state.consent & panel.may_contact[:, None]
        view = View(twin, state, panel, allowed, budget, nothing, nothing)
        if turn < fit_turns:
            seen.append(_seen(view))
            contacts = random(view)
        else:
            if turn == fit_turns:
                split = best_split(_added(seen), book.costs, budget=budget * fit_turns) / fit_turns
            contacts = _held(view, split)
        state, outcome = twin.advance(state, contacts)
        panel = observed(panel, outcome)
        add_week(played, outcome, book.costs, book.channel_costs)
    return played


def segments(panel: Panel) -> Integers:
    """Place customers in eight segments: above or below the median of what is seen of them.

    Returns:
        Segment, 0 to 7; shape (customers,).
    """
    figures = (panel.last_day, panel.order_days, panel.sales)
    return np.asarray(np.sum([(f > np.median(f)) * 2**n for n, f in enumerate(figures)], axis=0))


def best_split(cells: Cells, costs: Floats, *, budget: float) -> Floats:
    """Split money over cells so that the contacts it pays for are worth most.

    A cell gets no more than can be kept up under the cap on contacts, turn after turn.

    Args:
        cells: What contacts are worth, and how many may be made.
        costs: What a contact takes from the budget, shape (offers, channels).
        budget: Most that may be spent.

    Returns:
        Money by cell, shape (segments, offers, channels).
    """
    shape = cells.worth.shape
    size = int(np.prod(shape))
    place = np.arange(size).reshape(shape)
    own = [place[s].ravel() for s in range(shape[0])]
    own += [place[s, :, c] for s in range(shape[0]) for c in range(shape[2])]
    limits = np.zeros((1 + len(own), size))
    limits[0] = np.broadcast_to(costs, shape).ravel()
    for row, cells_of in enumerate(own, start=1):
        limits[row, cells_of] = 1.0
    reach = np.concatenate([cells.people, cells.reach.ravel()]) * CAP_CONTACTS / CAP_WEEKS
    most = np.concatenate([[budget], reach])
    found = linprog(-cells.worth.ravel(), A_ub=limits, b_ub=most, method="highs")
    return np.asarray(found.x.reshape(shape) * costs)


def _seen(view: View) -> Cells:
    """Read what each cell is worth in a turn; sums, not yet means."""
    consent = view.state.consent
    worth = view.twin.expected_effects(view.state) - view.twin.rules.book.channel_costs
    segment = segments(view.panel)

    def by_segment(values: Floats) -> Floats:
        found = np.zeros((SEGMENTS, *values.shape[1:]))
        np.add.at(found, segment, values)
        return found

    people = by_segment(consent.max(axis=1, keepdims=True).astype(np.float64))[:, 0]
    reach = by_segment(consent.astype(np.float64))
    return Cells(by_segment(np.where(consent[:, None, :], worth, 0.0)), people, reach)


def _added(seen: list[Cells]) -> Cells:
    total = [np.sum([getattr(one, name) for one in seen], axis=0)
             for name in ("worth", "people", "reach")]  # fmt: skip
    sums = Cells(*total)
    return replace(sums, worth=sums.worth / np.maximum(sums.reach, 1.0)[:, None, :])


def _held(view: View, split: Floats) -> Contacts:
    """Contact open customers of every cell in random order until its money is spent."""
    segment, free = segments(view.panel), np.ones(len(view.allowed), bool)
    rank = view.uniform("fixed split")
    found: list[tuple[Integers, int, int]] = []
    for cell in np.argwhere(split > 0):
        mine, offer, channel = (int(part) for part in cell)
        line = np.flatnonzero(free & np.equal(segment, mine) & view.allowed[:, channel])
        most = int(split[mine, offer, channel] / view.costs[offer, channel] + 1e-9)
        order = np.argsort(rank[line], kind="stable")
        taken = line[order][:most]
        free[taken] = False
        found.append((taken, offer, channel))
    customer = np.concatenate([taken for taken, _, _ in found] or [np.zeros(0, np.int64)])
    offers = np.concatenate([np.full(len(t), o) for t, o, _ in found] or [customer])
    channels = np.concatenate([np.full(len(t), c) for t, _, c in found] or [customer])
    line = np.argsort(customer)
    return Contacts(customer[line], offers[line], channels[line])
