"""The step that tries challengers on the newest weeks, once in a while."""

from collections.abc import Mapping

from regulars.errors import NotReady
from regulars.numerics.days import day_number, day_of
from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.understand.challengers.catalogue import HORIZON_WEEKS, RECIPES
from regulars.understand.challengers.recipe import Recipe
from regulars.understand.challengers.trial import try_recipes
from regulars.understand.champions.family import Family
from regulars.understand.champions.service import is_unseen, keep_trials
from regulars.understand.champions.serving import Serving
from regulars.understand.value.history import history_of
from regulars.understand.value.tables import order_days, profiles_of_turn


@step(reads="profiles customers orders", writes="")
def try_challengers(
    engine: Engine,
    state: State,
    turn: Turn,
    *,
    serves: Mapping[Family, Serving],
    is_automatic: bool,
    is_asked: bool = False,
    recipes: Mapping[Family, Mapping[str, Recipe]] = RECIPES,
) -> int:
    """Compare every challenger with its champion on the newest 13 weeks, held out.

    Args:
        engine: Opens profiles, customers and orders.
        state: Keeps the registry.
        turn: The turn; nothing after its `as_of` is read.
        serves: Who serves in this turn.
        is_automatic: False leaves promoting to a person.
        is_asked: True where a person wants to know: weeks that an earlier trial used are good
            enough to tell, but nobody is promoted for it.
        recipes: Recipes of order histories by family.

    Returns:
        Trials put down; none where the history is too short, or a trial was made on these weeks.
    """
    customers = engine.arrow(
        profiles_of_turn(engine.table("profiles"), engine.table("customers"), turn.number)
    )
    days = engine.arrow(order_days(engine.table("orders"), until=turn.as_of))
    history, kept = history_of(days, customers), 0
    as_of = day_number(turn.as_of)
    held_from = as_of - 7 * HORIZON_WEEKS
    for family, known in recipes.items():
        if not is_asked and not is_unseen(state, family, turn=turn.number, held_from=held_from):
            continue
        try:
            trials = try_recipes(
                known,
                serves[family].champion,
                history,
                as_of=as_of,
                horizon_weeks=HORIZON_WEEKS,
                seed=turn.seed,
            )
        except NotReady:
            continue
        first = day_of(history.first_day).isoformat()
        keep_trials(
            state,
            trials,
            turn=turn.number,
            now=turn.now,
            is_automatic=is_automatic and not is_asked,
            first_day=first,
        )
        kept += len(trials)
    return kept
