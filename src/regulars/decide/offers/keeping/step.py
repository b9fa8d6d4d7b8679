"""The step that takes offers of imported files into the catalogue."""

from regulars.decide.offers.keeping.service import adopt
from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.records import Turn


@step(reads="offers", writes="")
def adopt_offers(engine: Engine, state: State, turn: Turn, *, zone: str) -> int:
    """Take offers into the catalogue that came in files and are not in it yet.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        turn: The turn.
        zone: IANA zone of the workspace.

    Returns:
        Offers taken up.
    """
    rows = engine.rows(engine.table("offers").order_by("offer_id"))
    return len(adopt(state, rows, zone=zone, now=turn.now))
