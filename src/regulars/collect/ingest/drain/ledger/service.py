"""Keep the ledger: totals per source move with the position, in one transaction."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.collect.ingest.drain.deciding import COUNTED, Decided, Outcome
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State

COUNTS = ("received", *COUNTED)
_SQL = Queries(__package__)


def position(state: State, partition: int) -> int:
    """Give the last batch of a partition the ledger has taken in; 0 before the first."""
    with state.reading() as opened:
        found = opened.all(_SQL["position"], log_partition=partition)
    return int(found[0]["log_sequence"]) if found else 0


def take_in(state: State, partition: int, batches: Sequence[Decided]) -> None:
    """Add batches to the totals and settle what they replayed, each once.

    Args:
        state: The workspace's state.
        partition: Partition of the batches.
        batches: Batches in order; those taken in before change nothing.

    Raises:
        AssertionError: The totals would not add up; nothing is written.
    """
    with state.transaction() as opened:
        found = opened.all(_SQL["position"], log_partition=partition)
        done = int(found[0]["log_sequence"]) if found else 0
        new = [batch for batch in batches if batch.fates.sequence > done]
        if not new:
            return
        receipts = pa.concat_tables([batch.receipts for batch in new])
        opened.many(_SQL["add"], _by_source(receipts))
        open_ends = opened.all(_SQL["open_ends"])
        if open_ends:
            raise AssertionError(f"the ledger of {open_ends[0]['source']} does not add up")
        outcomes = [outcome for batch in new for outcome in batch.outcomes]
        opened.many(_SQL["settle_replay"], [_settled(outcome) for outcome in outcomes])
        opened.run(_SQL["move"], log_partition=partition, log_sequence=new[-1].fates.sequence)


def _by_source(receipts: pa.Table) -> list[dict[str, Any]]:
    sums = receipts.group_by("source").aggregate([(name, "sum") for name in COUNTS])
    rows = sums.rename_columns({f"{name}_sum": name for name in COUNTS}).to_pylist()
    return sorted(rows, key=lambda row: str(row["source"]))


def _settled(outcome: Outcome) -> dict[str, Any]:
    refusal = outcome.refusal
    return {
        "refused_id": outcome.refused_id,
        # Held back again: open for another try.
        "status": "open" if refusal else outcome.fate.name.lower(),
        "reason": refusal.reason if refusal else None,
        "path": refusal.path or None if refusal else None,
        "detail": refusal.detail or None if refusal else None,
    }


def totals(state: State) -> dict[str, Any]:
    """Give what came of everything received so far.

    Returns:
        `received`, `stored`, `duplicate`, `quarantined`, `suppressed` over all sources, and the
        same per source under `sources`; `received` is always the sum of the others.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["totals"])
    sources = {row["source"]: {name: int(row[name]) for name in COUNTS} for row in rows}
    overall = {name: sum(counts[name] for counts in sources.values()) for name in COUNTS}
    return {**overall, "sources": sources}


def read_receipt(lake: Lake, receipt: str, *, accepted: int | None = None) -> dict[str, Any]:
    """Tell what came of one request so far.

    Args:
        lake: Where `receipts` is.
        receipt: The request.
        accepted: Events the request was acknowledged for, where the caller knows.

    Returns:
        Counts by fate, and `state`: "decided" once something was decided and, where `accepted`
        is given, all of it; else "pending". A request nobody sent stays pending.
    """
    counts = dict.fromkeys(COUNTS, 0)
    for path in lake.files("receipts"):
        rows = pq.read_table(path, columns=list(COUNTS), filters=[("receipt", "=", receipt)])
        for name in COUNTS:
            counts[name] += sum(rows.column(name).to_pylist())
    is_decided = counts["received"] >= (accepted or 1)
    return {**counts, "state": "decided" if is_decided else "pending"}
