"""Facts made of receipts: each outcome once in the lake, however often this is called."""

from datetime import datetime

import pyarrow as pa

from regulars.ports.lake import Lake
from regulars.ports.state import State
from regulars.reach.receipts.service import forget_posts, outcomes_after, settle_waiting

TABLE = "contact_outcomes"
APPLICATION = "receipts"
AT_ONCE = 100_000


def export_outcomes(state: State, lake: Lake, *, now: datetime) -> int:
    """Append what came since the last time to the table `contact_outcomes`; forget old bodies.

    The commit in the lake carries the number of the last outcome in it, and that is the
    position: a crash before it leaves nothing, one after it repeats nothing.

    Args:
        state: The transactional store.
        lake: The tables.
        now: The moment, aware.

    Returns:
        Rows appended.
    """
    settle_waiting(state, now=now)
    forget_posts(state, now=now)
    appended = 0
    while rows := outcomes_after(state, lake.committed(TABLE, APPLICATION) or 0, most=AT_ONCE):
        last = rows[-1]["number"]
        schema = lake.schema(TABLE)
        data = pa.Table.from_pylist(
            [{name: row[name] for name in schema.names} for row in rows], schema=schema
        )
        lake.append(TABLE, data, application=APPLICATION, version=last)
        appended += len(rows)
    return appended
