"""The step that lets new orders earn points, and returned ones give them back."""

from datetime import date, datetime

from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.reach.loyalty.earning.service import Posted, post_orders, posted_orders
from regulars.reach.loyalty.earning.tables import Facts, changed_orders
from regulars.reach.loyalty.programme.service import programmes


@step(reads="orders order_lines returns products", writes="")
def earn_points(engine: Engine, state: State, *, as_of: date, now: datetime, zone: str) -> Posted:
    """Post what orders up to a day earn; doing it again changes nothing.

    An order keeps the version of the programme, and the tier, it first earned under.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        as_of: Last day read.
        now: The moment, aware.
        zone: IANA zone days are counted in.

    Returns:
        What was done; nothing while there is no programme.
    """
    versions = programmes(state)
    if not versions:
        return Posted(0, 0, 0, {})
    names = ("orders", "order_lines", "returns", "products")
    rows = engine.rows(
        changed_orders(
            Facts(*map(engine.table, names)),
            versions,
            posted_orders(state),
            current=max(versions),
            as_of=as_of,
        )
    )
    return post_orders(state, rows, versions, now=now, zone=zone)
