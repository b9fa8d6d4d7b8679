"""A promotion read from one table: who was treated, what they spent, what is known of them."""

import pyarrow as pa

from regulars.errors import InputError
from regulars.measure.long_term.effect import LongTermEffect, long_term_effect, residual_draws
from regulars.numerics.arrays import numbers, words
from regulars.understand.value import buyers, fit_bg_nbd, fit_gamma_gamma

COLUMNS = ("variant", "during", "near", "late", "x", "t_x", "T", "mean_spend")


def read_promotion(
    customers: pa.Table,
    *,
    variants: tuple[str, str] = ("control", "treated"),
    horizon: float,
    margin_rate: float = 1.0,
    cost: float = 0.0,
    seed: int = 7,
) -> LongTermEffect:
    """Tell the long-term effect of a promotion from a table.

    The value model is fitted on customers who were not treated, by BG/NBD and Gamma-Gamma.

    Args:
        customers: One row per customer: variant; during, near and late: spend in the three
            windows; x, t_x, T and mean_spend as of the end of the late one. Rows of other
            variants are left out.
        variants: Names of the variant not treated and of the one treated.
        horizon: Weeks not seen yet, in the unit of t_x and T.
        margin_rate: Margin over spend.
        cost: Other cost of the promotion per treated customer.
        seed: Root of the draws.

    Returns:
        The effect by part, margin per treated customer.

    Raises:
        InputError: A column is missing, or a variant has no row.
        NotReady: There are too few customers to tell.

    Example:
        >>> read_promotion(pa.table({"variant": ["a"]}), horizon=40)
        Traceback (most recent call last):
        ...
        regulars.errors.InputError: columns missing: during, near, late, x, t_x, T, mean_spend; ...
    """
    missing = [name for name in COLUMNS if name not in customers.column_names]
    if missing:
        raise InputError(
            f"columns missing: {', '.join(missing)}; give {', '.join(COLUMNS)}, one row a customer"
        )
    variant = words(customers, "variant")
    for name in variants:
        if not (variant == name).any():
            known = ", ".join(sorted(set(variant)))
            raise InputError(f"no row has variant {name}; there are {known}")
    own = (variant == variants[0]) | (variant == variants[1])
    treated = variant[own] == variants[1]
    column = {name: numbers(customers, name)[own] for name in COLUMNS[1:]}
    untouched = buyers(*(column[name][~treated] for name in ("x", "t_x", "T", "mean_spend")))
    ahead = residual_draws(
        fit_bg_nbd(untouched.histories()),
        fit_gamma_gamma(untouched.x, untouched.mean_spend),
        untouched,
        horizon=horizon,
        margin_rate=margin_rate,
        seed=seed,
    )
    windows = (column[name] * margin_rate for name in ("during", "near", "late"))
    return long_term_effect(treated, *windows, beyond=ahead, cost=cost, seed=seed)
