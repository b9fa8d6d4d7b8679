"""One side of the comparison of uplift learners, in a process of its own: ours, or econml's forest.

Prints one JSON object: CPU seconds of fitting and predicting, and the error against known truth.
Run: python benchmarks/_uplift_sides.py ours|econml CUSTOMERS
"""

import json
import sys
import time
from importlib import import_module

import numpy as np


def world(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ten features, a fair coin, and an effect that bends: features, arm, outcome, effect."""
    draw = np.random.default_rng(seed)
    x = draw.normal(0, 1, (customers, 10))
    effect = 0.5 + 0.6 * np.maximum(x[:, 0], 0) - 0.4 * (x[:, 1] > 0.5) + 0.3 * np.tanh(x[:, 2])
    level = x[:, 3] + 0.5 * np.sin(2 * x[:, 4]) + 0.5 * x[:, 5] * (x[:, 0] > 0)
    arm = draw.integers(0, 2, customers)
    return x, arm, level + arm * effect + draw.normal(0, 1, customers), effect


def ours(x: np.ndarray, arm: np.ndarray, outcome: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The doubly robust learner on boosted trees."""
    from regulars.decide.uplift.learners import Base, experiment_data, fit_dr_learner  # noqa: PLC0415

    return fit_dr_learner(experiment_data(x, arm, outcome), base=Base.BOOSTING).predict(new)[:, 0]


def econml(x: np.ndarray, arm: np.ndarray, outcome: np.ndarray, new: np.ndarray) -> np.ndarray:
    """CausalForestDML as it comes, told that the treatment is a coin."""
    forest = import_module("econml.dml").CausalForestDML(
        discrete_treatment=True, n_estimators=200, n_jobs=1, random_state=1
    )
    return forest.fit(outcome, arm, X=x).effect(new)


def main(side: str, customers: int) -> None:
    """Fit on one half of the world and predict the other."""
    x, arm, outcome, _ = world(customers, 1)
    new, _, _, effect = world(customers, 2)
    work = {"ours": ours, "econml": econml}[side]
    work(x[:400], arm[:400], outcome[:400], new[:10])  # imports, and what is done once
    start = time.process_time()
    found = work(x, arm, outcome, new)
    seconds = time.process_time() - start
    error = float(np.sqrt(np.mean((found - effect) ** 2)))
    print(json.dumps({"seconds": seconds, "error": error, "mean_effect": float(effect.mean())}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
