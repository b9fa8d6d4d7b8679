"""Fit response curves to few and noisy points: cells that share a part share strength."""

import numpy as np
from numpy.typing import NDArray

from regulars.decide.budget.curves.curve import Cell, Curve, gain
from regulars.decide.budget.curves.points import Points
from regulars.numerics.linear_belief import LinearBelief

Floats = NDArray[np.float64]

_SHAPES = np.exp(np.linspace(np.log(0.1), np.log(20.0), 23))
"""Saturations considered, as multiples of a cell's own scale of spend."""
_USUAL_SHAPE, _SHAPE_SPREAD = 1.0, 1.0
_OWN_SHAPE_SPREAD = 0.5
_FIRST_RETURN, _RETURN_SPREAD = 1.0, 1.0
_BLOCKS = {"all": _RETURN_SPREAD, "offer": 0.5, "channel": 0.5, "segment": 0.5, "cell": 0.3}
_LEARNED = ("offer", "channel", "segment", "cell")


def fit_curves(points: Points) -> list[Curve]:
    """Fit one concave response curve per cell.

    The first return of a cell is that of all, plus a part each of its offer, channel and
    segment, plus its own; how much of that is shrunk away is learned from how much the cells
    differ. Saturation is first read from all points together, then, around that, from the
    points of the cell. A cell nobody has measured gets what its parts say, with a wide spread.

    Args:
        points: What was measured.

    Returns:
        One curve per cell, in the order of the cells; empty without cells.

    Source:
        Hierarchical shrinkage as by Gelman & Hill (2007), ch. 12; the shape by its marginal
        likelihood on a grid, so that there is nothing to converge. Before any data a unit of
        money is believed to bring 1, give or take 1.

    Example:
        >>> from regulars.decide.budget import points_of
        >>> table = {"segment": ["all"] * 4, "channel": ["sms"] * 4, "offer_id": ["A"] * 4,
        ...          "spend": [50.0, 100.0, 200.0, 400.0], "effect": [110.0, 190.0, 300.0, 420.0],
        ...          "standard_error": [20.0] * 4}
        >>> [curve] = fit_curves(points_of(table))
        >>> round(curve.first_return, 1), round(curve.saturation)
        (2.3, 214)
    """
    if not points.cells:
        return []
    scale = _scales(points)
    shape = _shared_shape(points, scale)
    pooled = _pooled(points, scale * shape)
    return [_curve(points, number, scale[number], shape, pooled) for number in range(len(scale))]


def _scales(points: Points) -> Floats:
    """Give the scale of spend of each cell: what reaches everybody, or what was spent most."""
    spent = np.zeros(len(points.cells))
    np.maximum.at(spent, points.cell, points.spend)
    seen = spent[spent > 0]
    usual = float(np.median(seen)) if seen.size else 1.0
    scale = np.where(np.isfinite(points.most) & (points.most > 0), points.most, spent)
    return np.where(scale > 0, scale, usual)


def _shared_shape(points: Points, scale: Floats) -> float:
    """Give the shape all cells share at first: the likeliest, drawn to the usual one."""
    if not len(points.cell):
        return _USUAL_SHAPE
    said = []
    for shape in _SHAPES:
        belief = _pooled(points, scale * shape)
        said.append(_evidence(belief, points) - _far(shape, _USUAL_SHAPE, _SHAPE_SPREAD))
    weight = np.exp(np.array(said) - max(said))
    return float(np.exp((weight * np.log(_SHAPES)).sum() / weight.sum()))


def _pooled(points: Points, saturation: Floats) -> LinearBelief:
    """Give what all points say of the parts of the first return, at given saturations."""
    terms = {"all:": "all"}
    for cell in points.cells:
        terms |= {name: name.partition(":")[0] for name in _terms_of(cell)}
    belief = LinearBelief.start(terms, {"all:": _FIRST_RETURN}, _BLOCKS)
    counted = gain(points.spend, saturation[points.cell])
    seen = belief.updated(
        _design(belief, points) * counted[:, None], points.effect, points.error**-2
    )
    blocks = tuple(block for block in _LEARNED if block in seen.blocks)
    return seen.with_learned_spread(blocks) if len(points.cell) else seen


def _terms_of(cell: Cell) -> list[str]:
    return [
        "all:",
        f"segment:{cell.segment}",
        f"channel:{cell.channel}",
        f"offer:{cell.offer_id}",
        f"cell:{cell}",
    ]


def _design(belief: LinearBelief, points: Points) -> Floats:
    place = {term: number for number, term in enumerate(belief.terms)}
    by_cell = np.zeros((len(points.cells), len(place)))
    for number, cell in enumerate(points.cells):
        by_cell[number, [place[term] for term in _terms_of(cell)]] = 1.0
    return by_cell[points.cell]


def _evidence(belief: LinearBelief, points: Points) -> float:
    """Give the log marginal likelihood of the points, up to what does not depend on the belief."""
    mean, _covariance = belief.posterior()
    prior = belief.prior_sd**-2
    total = belief.precision + np.diag(prior)
    fit = float((points.effect / points.error) @ (points.effect / points.error))
    fit += float(prior @ belief.prior_mean**2) - float(mean @ total @ mean)
    size = float(np.linalg.slogdet(total)[1] - np.log(prior).sum())
    return -(fit + size) / 2


def _far(shape: float, middle: float, spread: float) -> float:
    return float((np.log(shape / middle) / spread) ** 2 / 2)


def _curve(points: Points, number: int, scale: float, shape: float, pooled: LinearBelief) -> Curve:
    """Give the curve of one cell: its own points, starting from what its parts say."""
    cell, rows = points.cells[number], points.of(number)
    start, spread = _start(pooled, cell)
    spend, effect, error = points.spend[rows], points.effect[rows], points.error[rows]
    scales = scale * _SHAPES
    gains = gain(spend, scales[:, None])
    precision = (gains**2 * error**-2).sum(axis=1) + spread**-2
    returns = ((gains * effect * error**-2).sum(axis=1) + start * spread**-2) / precision
    left = (((effect - returns[:, None] * gains) / error) ** 2).sum(axis=1)
    said = -(left + ((returns - start) / spread) ** 2 + np.log(precision)) / 2
    said -= [_far(one, shape, _OWN_SHAPE_SPREAD) for one in _SHAPES]
    shares = np.exp(said - said.max())
    shares /= shares.sum()
    return Curve(
        cell,
        float(shares @ returns),
        float(np.exp(shares @ np.log(scales))),
        float(spend.mean()) if len(rows) else 0.0,
        float(points.most[number]),
        len(rows),
        float(error[-1]) if len(rows) else float("nan"),
        shares,
        returns,
        precision**-0.5,
        scales,
    )


def _start(pooled: LinearBelief, cell: Cell) -> tuple[float, float]:
    """Give what a cell's parts say of its first return, and how far it may be from that."""
    mean, covariance = pooled.posterior()
    parts = [pooled.terms.index(term) for term in _terms_of(cell)[:-1]]
    own = pooled.prior_sd[pooled.terms.index(f"cell:{cell}")]
    within = covariance[np.ix_(parts, parts)].sum() + own**2
    return float(mean[parts].sum()), float(np.sqrt(within))
