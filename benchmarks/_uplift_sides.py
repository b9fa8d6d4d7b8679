"""One side of the comparison of uplift learners, in a process of its own.

Run: python benchmarks/_uplift_sides.py draw WORLD CUSTOMERS SEED FILE writes a world;
python benchmarks/_uplift_sides.py ours|econml|econml-quick FILE learns from it and prints one JSON
object: CPU seconds of fitting and predicting, peak memory, and the error against the truth.
"""

import json
import sys
from importlib import import_module
from typing import Any

import numpy as np
from _apart import measured
from _uplift_worlds import WORLDS, World


def ours(world: World, new: np.ndarray) -> np.ndarray:
    """The doubly robust learner: boosted outcomes, effects mixed by how they err on the unseen."""
    from regulars.decide.uplift.learners import Base, experiment_data, fit_dr_learner  # noqa: PLC0415

    chance = None if world["is_coin"] else chances(world["x"], world["arm"])
    data = experiment_data(world["x"], world["arm"], world["outcome"], propensity=chance)
    return fit_dr_learner(data, base=Base.BOOSTING, effect=Base.STACKED).predict(new)[:, 0]


def chances(x: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Guess who was treated why, where that was no coin: logistic regression, at least 2 %."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    found = LogisticRegression(max_iter=500).fit(scaled, arm).predict_proba(scaled)
    found = np.clip(found, 0.02, 0.98)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def econml(world: World, new: np.ndarray) -> np.ndarray:
    """CausalForestDML as it comes; it chooses its outcome models itself, by cross-validation."""
    return forest(world, new)


def econml_quick(world: World, new: np.ndarray) -> np.ndarray:
    """CausalForestDML with outcome models of the kind ours has, which costs it much less."""
    models = import_module("sklearn.ensemble")
    return forest(
        world,
        new,
        model_y=models.HistGradientBoostingRegressor(),
        model_t=models.HistGradientBoostingClassifier(),
    )


def forest(world: World, new: np.ndarray, **models: Any) -> np.ndarray:
    """Two hundred trees on one thread."""
    made = import_module("econml.dml").CausalForestDML(
        discrete_treatment=True, n_estimators=200, n_jobs=1, random_state=1, **models
    )
    return np.asarray(made.fit(world["outcome"], world["arm"], X=world["x"]).effect(new))


SIDES = {"ours": ours, "econml": econml, "econml-quick": econml_quick}


def main(side: str, *words: str) -> None:
    """Write a world, or learn from one and predict the effects of whom was not seen."""
    if side == "draw":
        name, customers, seed, file = words
        draw = np.random.default_rng([int(seed), 20_260_301])
        np.savez(file, **WORLDS[name](draw, int(customers)))
        print(json.dumps({}))
        return
    work = SIDES[side]
    with np.load(words[0]) as file:
        world: World = dict(file)
    few = {name: world[name][:400] for name in ("x", "arm", "outcome")}
    work({**few, "is_coin": True}, world["new"][:10])  # imports, and what is done once
    cost, found = measured(lambda: work(world, world["new"]))
    error = float(np.sqrt(np.mean((found - world["effect"]) ** 2)))
    print(json.dumps({**cost, "error": error, "customers": len(world["arm"])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
