"""Fit BG/NBD on simulated customers, ours beside lifetimes on the same rows.

CPU seconds, SciPy loaded beforehand. Run: python benchmarks understand_value
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
from lifetimes import BetaGeoFitter
from numpy.typing import NDArray

from regulars.understand.value.models.orders.bg_nbd import (
    OrderHistories,
    fit_bg_nbd,
    group_histories,
)

Numbers = NDArray[np.float64]

BY_NAME = ("r", "alpha", "a", "b")
TRUTH = (0.243, 4.414, 0.793, 2.426)


def simulate(customers: int, seed: int = 1) -> tuple[Numbers, Numbers, Numbers]:
    """Draw histories of 27 to 39 weeks from the model at CDNOW's parameters, in whole days."""
    draw = np.random.default_rng(seed)
    r, alpha, a, b = TRUTH
    rate, leave = draw.gamma(r, 1 / alpha, customers), draw.beta(a, b, customers)
    T = np.round(draw.uniform(27, 39, customers) * 7) / 7
    x, t_x, now = np.zeros((3, customers))
    active = np.arange(customers)
    while active.size:
        now[active] += draw.exponential(1 / np.maximum(rate[active], 1e-12))
        active = active[now[active] <= T[active]]
        x[active] += 1
        t_x[active] = np.floor(now[active] * 7) / 7
        active = active[draw.random(active.size) > leave[active]]
    return x, t_x, T


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the CPU seconds of some work, and what it gave."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def main(customers: int = 1_000_000) -> list[dict[str, Any]]:
    """Print parameters and peak memory; give the CPU seconds."""
    scipy.optimize.minimize(lambda v: float(v @ v), np.ones(2), method="L-BFGS-B")
    x, t_x, T = simulate(customers)
    group_seconds, histories = cpu(lambda: group_histories(x, t_x, T))
    fit_seconds, ours = cpu(lambda: fit_bg_nbd(histories))
    own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    row_seconds, by_row = cpu(lambda: fit_bg_nbd(OrderHistories(x, t_x, T, np.ones(customers))))
    peer_seconds, peer = cpu(lambda: BetaGeoFitter().fit(x, t_x, T))
    peer_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"BG/NBD: {customers:,} customers, {histories.x.size:,} distinct histories")
    print(f"  regulars r {ours.r:.4f} alpha {ours.alpha:.4f} a {ours.a:.4f} b {ours.b:.4f}")
    print(
        f"  the same of single rows: {by_row.r:.4f} {by_row.alpha:.4f} {by_row.a:.4f} {by_row.b:.4f}"
    )
    print("  lifetimes", " ".join(f"{name} {peer.params_[name]:.4f}" for name in BY_NAME))
    print(f"  peak memory {own_peak} MB, {peer_peak} MB once lifetimes had run")
    named = {"ours": "regulars", "peer": "lifetimes", "peer_seconds": peer_seconds}
    return [
        {
            "what": f"BG/NBD, fit of {customers:,} rows as they are",
            "ours_seconds": row_seconds,
            **named,
        },
        {"what": "BG/NBD, fit of grouped histories", "ours_seconds": fit_seconds, **named},
        {
            "what": "BG/NBD, grouping and fit",
            "ours_seconds": group_seconds + fit_seconds,
            **named,
        },
    ]
