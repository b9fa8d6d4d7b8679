"""A reward model for off-policy evaluation, trained on folds that leave the decision out."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, number_given, places_given, require_one_length

Floats = NDArray[np.float64]


def cross_fitted(
    features: ArrayLike,
    arm: ArrayLike,
    reward: ArrayLike,
    arms: int,
    *,
    seed: int,
    folds: int = 3,
    ridge: float = 1.0,
    unit: ArrayLike | None = None,
) -> Floats:
    """Predict the reward of every arm by ridge regression per arm.

    Args:
        features: What was known before each decision, shape (decisions, features).
        arm: Number of the arm taken, shape (decisions,).
        reward: What came of it, shape (decisions,).
        arms: Number of arms.
        seed: Deals the decisions into folds.
        folds: Folds, 2 or more; each is predicted by a model of the others.
        ridge: Strength of the shrinkage to the arm's mean, in decisions, > 0.
        unit: What each decision belongs to, such as its customer, shape (decisions,): decisions
            of one unit are dealt into one fold. By default each stands alone.

    Returns:
        Predictions, shape (decisions, arms); the overall mean where an arm was never taken.

    Raises:
        InputError: Shapes differ, something is nan or no number, an arm is not one of `arms`,
            or there are fewer units than folds.

    Source:
        Chernozhukov et al. (2018), "Double/Debiased Machine Learning", Econometrics Journal 21:
        cross-fitting keeps a model's overfitting out of the correction.

    Example:
        >>> found = cross_fitted([[0.0], [1.0]] * 50, [0, 1] * 50, [1.0, 2.0] * 50, 2, seed=1)
        >>> found.shape, float(found[0, 0].round(2))
        ((100, 2), 1.0)
    """
    known = floats_given(features, "features", axes=2)
    taken, came = places_given(arm, "arm", places=arms), floats_given(reward, "reward")
    require_one_length(features=known, arm=taken, reward=came)
    number_given(ridge, "ridge", above=0, below=np.inf)
    owner = np.arange(taken.size)
    if unit is not None:
        owner = np.unique(np.asarray(unit), return_inverse=True)[1]
    units = int(owner.max()) + 1 if owner.size == taken.size > 0 else 0
    if units < folds or folds < 2:
        raise InputError(f"{units} units cannot be cut into {folds} folds; give more decisions")
    fold = (np.random.default_rng(seed).permutation(units) % folds)[owner]
    spread = known.std(axis=0)
    scaled = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = np.empty((taken.size, arms))
    for number in range(folds):
        inside = fold == number
        for one in range(arms):
            mine = ~inside & (taken == one)
            found[inside, one] = _predict(
                scaled[mine], came[mine], scaled[inside], ridge, float(came[~inside].mean())
            )
    return found


def _predict(known: Floats, came: Floats, asked: Floats, ridge: float, else_mean: float) -> Floats:
    if came.size == 0:
        return np.full(len(asked), else_mean)
    centre, level = known.mean(axis=0), came.mean()
    near = known - centre
    penalty = ridge * np.eye(near.shape[1])
    slope = np.linalg.solve(near.T @ near + penalty, near.T @ (came - level))
    return np.asarray(level + (asked - centre) @ slope)
