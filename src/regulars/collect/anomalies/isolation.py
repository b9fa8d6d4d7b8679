"""How far an actor stands from the rest: an isolation forest over how actors behave."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.collect.anomalies.rules import spread_of_gaps
from regulars.numerics.arrays import numbers

TREES = 100
SAMPLE = 256
FITTED_ON = 50_000
LEAST_ACTORS = 50


def behaviour(features: pa.Table) -> NDArray[np.float64]:
    """Lay out how each actor behaves, on scales where a doubling counts the same anywhere.

    Args:
        features: Rows of `tables.actor_features`.

    Returns:
        Shape (actors, 7): log of events, of most per second and per minute, of hours from first
        to last event, spread of gaps (1 where unknown), log of different events, log of ids of
        the other kind.
    """
    hours = (numbers(features, "last_at") - numbers(features, "first_at")) / 3.6e9
    names = ("events", "per_second", "per_minute")
    columns = [np.log1p(numbers(features, name)) for name in names]
    columns.append(np.log1p(hours))
    columns.append(np.minimum(np.nan_to_num(spread_of_gaps(features), nan=1.0), 4.0))
    columns += [np.log1p(numbers(features, name)) for name in ("labels", "others")]
    return np.column_stack(columns)


def isolation_scores(features: pa.Table, *, seed: int) -> NDArray[np.float64]:
    """Score how easily each actor is told apart from all others.

    Args:
        features: Rows of `tables.actor_features`.
        seed: Root of the forest's draws.

    Returns:
        Score per actor, 0 to 1: about 0.5 for the crowd, towards 1 for who stands alone; nan
        for all when they are fewer than `LEAST_ACTORS`.

    Source:
        Liu, Ting & Zhou (2008), "Isolation forest", ICDM 2008; 100 trees on 256 actors each, as
        in the paper.
    """
    from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import

    if features.num_rows < LEAST_ACTORS:
        return np.full(features.num_rows, np.nan)
    rows = behaviour(features)
    stride = -(-len(rows) // FITTED_ON)
    forest = IsolationForest(
        n_estimators=TREES, max_samples=min(SAMPLE, len(rows)), random_state=seed, n_jobs=1
    )
    forest.fit(rows[::stride])
    return -np.asarray(forest.score_samples(rows), dtype=np.float64)


def stands_out(features: pa.Table, scores: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Say who stands alone in the way programs do, not in the way good customers do.

    Standing out alone marks nobody: the best customers stand out as well. An outlier must be
    too even for a person as well, or too quick.

    Args:
        features: Rows of `tables.actor_features`.
        scores: Scores of `isolation_scores`.
        limit: Score from which an actor stands alone.

    Returns:
        A flag per actor.
    """
    spread, gaps = spread_of_gaps(features), numbers(features, "gaps")
    too_even = (gaps >= 30) & (spread < 0.4)
    too_quick = numbers(features, "per_minute") > 90
    return (np.nan_to_num(scores) >= limit) & (too_even | too_quick)
