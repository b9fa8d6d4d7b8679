"""What came of a request, for the client that holds its receipt."""

from ibis import _

from regulars.ports.engine import Reader

FATES = ("received", "stored", "duplicate", "quarantined", "suppressed")


def fates_of(engine: Reader, receipt: str, source: str) -> dict[str, int] | None:
    """Add up what was decided about the events of a request so far.

    Args:
        engine: The workspace's engine.
        receipt: The request.
        source: The source it came from; others are told nothing.

    Returns:
        Events by fate; `received` reaches the number acknowledged once all are decided.
        None when nothing was decided yet, or there was no such request.
    """
    rows = engine.table("receipts").filter(_.receipt == receipt, _.source == source)
    [found] = engine.rows(rows.agg(**{name: _[name].sum() for name in FATES}))
    if found["received"] is None:
        return None
    return {name: int(found[name]) for name in FATES}
