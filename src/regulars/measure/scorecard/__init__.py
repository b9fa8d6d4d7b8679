"""The scorecard: a funnel from first contact to revenue, and the health of the shop.

Every indicator is defined once (`INDICATORS`) and is the sum of rows that can be looked at.
`scorecard_of` takes plain tables, without a workspace.
"""

from regulars.measure.scorecard.definition import Indicator, Period, Stage, Unit, period_until
from regulars.measure.scorecard.health import HealthIndex, health_index
from regulars.measure.scorecard.plain import rows_of, scorecard_of
from regulars.measure.scorecard.reading import (
    INDICATORS,
    Compared,
    Reading,
    Scorecard,
)

__all__ = [
    "INDICATORS",
    "Compared",
    "HealthIndex",
    "Indicator",
    "Period",
    "Reading",
    "Scorecard",
    "Stage",
    "Unit",
    "health_index",
    "period_until",
    "rows_of",
    "scorecard_of",
]
