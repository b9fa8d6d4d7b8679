"""How good an uplift score is: how it ranks, what targeting by it is worth, whether it is true."""

from regulars.measure.uplift.calibration import UpliftCalibration, uplift_calibration
from regulars.measure.uplift.qini import Qini, qini
from regulars.measure.uplift.targeting import (
    TargetingWorth,
    Worth,
    net_incremental_revenue,
    net_revenue_interval,
    targeting_worth,
)

__all__ = [
    "Qini",
    "TargetingWorth",
    "UpliftCalibration",
    "Worth",
    "net_incremental_revenue",
    "net_revenue_interval",
    "qini",
    "targeting_worth",
    "uplift_calibration",
]
