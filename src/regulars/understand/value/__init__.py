"""Value: how often customers will order, what they will spend, what they are worth.

Everything takes plain arrays; no workspace is needed. Count customers of one history together
with `group_histories`, or in the engine with `count_histories`; fit `fit_bg_nbd`,
`fit_mbg_nbd`, `fit_mbg_cnbd`, `fit_pareto_nbd` or `fit_gg_nbd` for orders and `fit_gamma_gamma`
for spend, and ask `residual_value` what each customer will bring, with intervals.
`fit_with_covariates` lets what is known of a customer move his rates, `fit_season` lets all of
them count time by how busy it is.
"""

from regulars.understand.value.backtest import (
    Backtest,
    Origin,
    Origins,
    backtest_history,
    try_origins,
)
from regulars.understand.value.history import History, history_of
from regulars.understand.value.indicators import (
    INDICATORS,
    ValueIndicators,
    referral_value,
    value_indicators,
)
from regulars.understand.value.models.gamma_gamma import GammaGamma, fit_gamma_gamma
from regulars.understand.value.models.histories import OrderHistories, group_histories
from regulars.understand.value.models.orders.bg_bb import BGBB, fit_bg_bb
from regulars.understand.value.models.orders.bg_nbd import BGNBD, fit_bg_nbd
from regulars.understand.value.models.orders.covariates import Covariates, fit_with_covariates
from regulars.understand.value.models.orders.fitted import FittedOrders
from regulars.understand.value.models.orders.gg_nbd import GGNBD, fit_gg_nbd
from regulars.understand.value.models.orders.mbg_cnbd import MBGCNBD, fit_mbg_cnbd, log_gaps_of
from regulars.understand.value.models.orders.mbg_nbd import MBGNBD, fit_mbg_nbd
from regulars.understand.value.models.orders.nbd import NBD, fit_nbd
from regulars.understand.value.models.orders.pareto_nbd import ParetoNBD, fit_pareto_nbd
from regulars.understand.value.models.residual import (
    Buyers,
    ResidualValue,
    buyers,
    residual_value,
)
from regulars.understand.value.models.uncertainty import parameter_draws, standard_errors
from regulars.understand.value.season import Season, fit_season, season_of_sales
from regulars.understand.value.tables import count_histories

__all__ = [
    "log_gaps_of",
    "fit_with_covariates",
    "fit_mbg_cnbd",
    "fit_gg_nbd",
    "fit_bg_bb",
    "MBGCNBD",
    "GGNBD",
    "Covariates",
    "BGBB",
    "BGNBD",
    "INDICATORS",
    "MBGNBD",
    "NBD",
    "Backtest",
    "Buyers",
    "FittedOrders",
    "GammaGamma",
    "History",
    "OrderHistories",
    "Origin",
    "Origins",
    "ParetoNBD",
    "ResidualValue",
    "Season",
    "ValueIndicators",
    "backtest_history",
    "buyers",
    "count_histories",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_mbg_nbd",
    "fit_nbd",
    "fit_pareto_nbd",
    "fit_season",
    "group_histories",
    "history_of",
    "parameter_draws",
    "referral_value",
    "residual_value",
    "season_of_sales",
    "standard_errors",
    "try_origins",
    "value_indicators",
]
