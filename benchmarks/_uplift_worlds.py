"""Worlds whose effects are known: four experiments by formula, and IHDP, whose mothers are real.

A world is a dictionary of arrays: what is learned from (features, arm, outcome), and what is
judged on (new features, their effect). `is_coin` says that everybody had the same chance.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

World = dict[str, Any]


def bends(draw: np.random.Generator, customers: int) -> World:
    """Ten features, a fair coin, an effect with a kink, a step and a bend; ours."""

    def effect(x: np.ndarray) -> np.ndarray:
        return 0.5 + 0.6 * np.maximum(x[:, 0], 0) - 0.4 * (x[:, 1] > 0.5) + 0.3 * np.tanh(x[:, 2])

    x, new = draw.normal(0, 1, (2, customers, 10))
    level = x[:, 3] + 0.5 * np.sin(2 * x[:, 4]) + 0.5 * x[:, 5] * (x[:, 0] > 0)
    return _coin(draw, x, level, effect(x), new, effect(new))


def forest(draw: np.random.Generator, customers: int) -> World:
    """The world causal forests were made for; Wager & Athey (2018), JASA 113, eq. 28."""

    def effect(x: np.ndarray) -> np.ndarray:
        grown = 1 + 1 / (1 + np.exp(-20 * (x[:, :2] - 1 / 3)))
        return np.asarray(grown[:, 0] * grown[:, 1])

    x, new = draw.uniform(0, 1, (2, customers, 10))
    return _coin(draw, x, np.zeros(customers), effect(x), new, effect(new))


def residuals(draw: np.random.Generator, customers: int) -> World:
    """Effects milder than levels; Nie & Wager (2021), Biometrika 108, setup B."""

    def effect(x: np.ndarray) -> np.ndarray:
        return np.asarray(x[:, 0] + np.log1p(np.exp(x[:, 1])))

    x, new = draw.normal(0, 1, (2, customers, 10))
    level = np.maximum(np.maximum(x[:, 0] + x[:, 1], x[:, 2]), 0) + np.maximum(x[:, 3] + x[:, 4], 0)
    return _coin(draw, x, level - effect(x) / 2, effect(x), new, effect(new))


def orders(draw: np.random.Generator, customers: int) -> World:
    """Whether somebody orders: chances of some percent, lifted by some; ours, sized like Hillstrom."""

    def chances(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        base = 1 / (1 + np.exp(2.2 - 0.6 * x[:, 0] - 0.4 * (x[:, 1] > 0)))
        lifted = base + 0.05 + 0.04 * np.tanh(x[:, 2]) + 0.04 * (x[:, 3] > 0)
        return base, np.clip(lifted, 0, 1)

    x, new = draw.normal(0, 1, (2, customers, 10))
    arm = draw.integers(0, 2, customers)
    without, offered = chances(x)
    outcome = (draw.random(customers) < np.where(arm == 1, offered, without)).astype(np.float64)
    effect = np.subtract(*chances(new)[::-1])
    return {"x": x, "arm": arm, "outcome": outcome, "new": new, "effect": effect, "is_coin": True}


def ihdp(draw: np.random.Generator, _customers: int) -> World:
    """The 747 of IHDP who are not randomised, response surface B of Hill (2011); econml ships it."""
    surface = import_module("econml.data.dgps").ihdp_surface_B
    outcome, arm, x, effect = surface(random_state=int(draw.integers(2**31)))
    x = np.asarray(x, np.float64)[:, 1:]  # the first is a constant
    return {"x": x, "arm": arm, "outcome": outcome, "new": x, "effect": effect, "is_coin": False}


def _coin(
    draw: np.random.Generator,
    x: np.ndarray,
    level: np.ndarray,
    effect: np.ndarray,
    new: np.ndarray,
    truth: np.ndarray,
) -> World:
    arm = draw.integers(0, 2, len(x))
    outcome = level + arm * effect + draw.normal(0, 1, len(x))
    return {"x": x, "arm": arm, "outcome": outcome, "new": new, "effect": truth, "is_coin": True}


WORLDS: dict[str, Callable[[np.random.Generator, int], World]] = {
    "bends": bends,
    "forest": forest,
    "residuals": residuals,
    "orders": orders,
    "ihdp": ihdp,
}
