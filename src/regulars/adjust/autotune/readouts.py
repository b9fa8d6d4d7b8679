"""Read measured effects as evidence for the budget."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from regulars.adjust.autotune.spend_share import Readout


def pooled_readouts(rows: Sequence[Mapping[str, Any]]) -> list[Readout]:
    """Turn rows of table `effects` into readouts.

    Args:
        rows: Readable effects on margin of all campaigns of a turn together.

    Returns:
        One readout per row; the standard error is read off the interval.

    Example:
        >>> row = {"measured_turn": 1, "treated": 10, "estimate": 5.0, "low": 3.355,
        ...     "high": 6.645, "level": 0.9, "cost": 1.0}
        >>> round(pooled_readouts([row])[0].standard_error, 3)
        1.0
    """
    return [
        Readout(
            row["measured_turn"],
            row["treated"],
            row["estimate"],
            max(
                (row["high"] - row["low"]) / (2 * NormalDist().inv_cdf((1 + row["level"]) / 2)),
                1e-9,
            ),
            float(row["cost"]),
        )
        for row in rows
    ]
