"""Assign a million customers to ten offers under a budget, stock and channel capacity.

CPU seconds; the peer is the linear relaxation of a sample, solved by HiGHS through SciPy, which
also says how near the bound of the whole is. Run: python benchmarks decide_budget
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from _apart import measured
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack

from regulars.decide.budget import Assigned, assign


def shop(customers: int, actions: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw values and costs of a made-up retailer."""
    draw = np.random.default_rng(1)
    values = draw.gamma(1, 3, (customers, actions)) * draw.lognormal(0, 1, (customers, 1)) - 1
    return values, draw.uniform(0.05, 3, actions) * draw.uniform(0.5, 1.5, values.shape)


def ours(values: np.ndarray, costs: np.ndarray) -> Assigned:
    """Assign with everything short."""
    customers, actions = values.shape
    return assign(
        values,
        costs,
        budget=0.3 * customers,
        stock=dict.fromkeys(range(actions), 0.05 * customers),
        capacity={"even": 0.2 * customers, "odd": 0.15 * customers},
        channels=["even", "odd"] * (actions // 2),
    )


def by_highs(values: np.ndarray, costs: np.ndarray) -> float:
    """Give the best fractional value."""
    customers, actions = values.shape
    each = np.ones((1, customers))
    odd = np.arange(actions) % 2
    rows = [
        kron(eye_array(customers), np.ones((1, actions))),
        costs.reshape(1, -1),
        kron(each, eye_array(actions)),
        kron(each, np.stack([1.0 - odd, odd])),
    ]
    limits = [np.ones(customers), [0.3 * customers], np.full(actions, 0.05 * customers)]
    found = linprog(
        -values.ravel(),
        A_ub=vstack(rows).tocsr(),
        b_ub=np.concatenate([*limits, [0.2 * customers, 0.15 * customers]]),
        bounds=(0, 1),
        method="highs",
    )
    return -float(found.fun)


def main(
    sizes: Sequence[int] = (100_000, 300_000, 1_000_000), sample: int = 20_000, actions: int = 10
) -> list[dict[str, Any]]:
    """Print sizes and gaps; give the CPU seconds of ours and of the peer on the sample."""
    print("budget: everything short; bars: 10 s for a million customers, gap 0.1 %")
    for customers in sizes:
        values, costs = shop(customers, actions)
        cost, found = measured(lambda values=values, costs=costs: ours(values, costs))
        print(
            f"  {customers:,} customers x {actions} offers in {cost['seconds']:.2f} CPU s, "
            f"{cost['seconds'] / customers * 1e6:.1f} us a customer, gap {found.gap:.6%}, "
            f"{found.spend:,.2f} of {0.3 * customers:,.2f} spent, peak {cost['peak_mb']:,.0f} MB"
        )
    few = values[:sample], costs[:sample]
    cost, part = measured(lambda: ours(*few))
    peer, best = measured(lambda: by_highs(*few))
    print(f"  sample of {sample:,}: {1 - part.value / best:.6%} below the optimum of HiGHS")
    return [
        {
            "what": f"assignment of {sample:,} customers x {actions} offers",
            "ours": "regulars, whole offers",
            "peer": "HiGHS, fractional",
            "ours_seconds": cost["seconds"],
            "peer_seconds": peer["seconds"],
        }
    ]


if __name__ == "__main__":
    for row in main():
        print(row)
