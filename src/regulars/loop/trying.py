"""Which models a turn is served by, and when challengers are tried against them."""

from collections.abc import Callable, Sequence

from regulars.loop.shop import Shop
from regulars.records import Turn
from regulars.understand.challengers.step import try_challengers
from regulars.understand.champions.family import Family
from regulars.understand.champions.service import keep_trials, serving
from regulars.understand.champions.serving import Serving
from regulars.understand.champions.verdict import Trial

TRIAL_TURNS = 13
"""Challengers are tried every so many turns, where no trial was made on the same days before."""


def serves(shop: Shop, turn: Turn) -> dict[Family, Serving]:
    """Give the champions of a turn, by family."""
    return serving(shop.state, turn=turn.number, now=turn.now)


def is_trial(turn: Turn) -> bool:
    """Tell whether challengers are tried in a turn."""
    return turn.number % TRIAL_TURNS == 0


def keep_of(shop: Shop, turn: Turn) -> Callable[[Sequence[Trial]], object] | None:
    """Give what puts down the trials of the response model; nothing in a turn without trials.

    Args:
        shop: The open workspace.
        turn: The turn; who is found better serves from the next one on, so that this one may be
            continued.

    Returns:
        A function of trials, or None.
    """
    if not is_trial(turn):
        return None
    return lambda trials: keep_trials(
        shop.state,
        trials,
        turn=turn.number,
        now=turn.now,
        is_automatic=shop.settings.adjust.is_automatic,
    )


def try_models(shop: Shop, turn: Turn, *, is_asked: bool = False) -> int:
    """Compare every challenger with its champion on the newest weeks.

    Args:
        shop: The open workspace.
        turn: A turn whose profiles are written.
        is_asked: True where a person wants to know: any weeks will do, and nobody is promoted.

    Returns:
        Trials put down.
    """
    found: int = try_challengers.run(
        shop.bound(try_challengers, turn.number),
        shop.state,
        turn,
        serves=serves(shop, turn),
        is_automatic=shop.settings.adjust.is_automatic,
        is_asked=is_asked,
    )
    return found
