"""Factor grids: variants made of components, all of them or few that cover every pair."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

from regulars.errors import InputError

Combination = dict[str, str]
"""One variant: its level by factor."""


def factor_grid(
    levels_by_factor: Mapping[str, Sequence[str]],
    *,
    most: int | None = None,
    allowed: Callable[[Combination], bool] = lambda _combination: True,
) -> list[Combination]:
    """Make variants from components: subject x picture x button.

    With `most` variants or fewer in the full grid all are given. Otherwise variants are chosen
    so that every pair of levels of two factors meets in at least one of them, which is enough
    to estimate what each level adds.

    Args:
        levels_by_factor: Levels by factor; the first of each is the one in use today.
        most: Most variants wanted; None for the full grid.
        allowed: False for combinations that may not go out, such as those copy review blocks.

    Returns:
        Variants; the first is the one in use today, where it is allowed. The same for the same
        input.

    Raises:
        InputError: A factor has no level, nothing is allowed, or `most` variants cannot hold
            every pair.

    Source:
        Cohen, Dalal, Fredman & Patton (1997), "The AETG System", IEEE Transactions on Software
        Engineering 23(7): greedy pairwise cover.

    Example:
        >>> grid = factor_grid({"subject": ["a", "b", "c"], "picture": ["x", "y", "z"],
        ...                     "button": ["1", "2", "3"]}, most=12)
        >>> len(grid), grid[0]
        (10, {'subject': 'a', 'picture': 'x', 'button': '1'})
    """
    empty = [factor for factor, levels in levels_by_factor.items() if not levels]
    if empty or not levels_by_factor:
        raise InputError(f"factor {empty[:1] or 'list'} is empty, must have one level or more")
    names = list(levels_by_factor)
    whole = [
        dict(zip(names, levels, strict=True)) for levels in product(*levels_by_factor.values())
    ]
    open_grid = [combination for combination in whole if allowed(combination)]
    if not open_grid:
        raise InputError("no combination is allowed; loosen the rule or add levels")
    if most is None or len(open_grid) <= most:
        return open_grid
    chosen = _cover(open_grid, names)
    if len(chosen) > most:
        raise InputError(
            f"{len(chosen)} variants are needed so that every pair of levels meets, {most} are "
            "wanted; allow more, or drop levels"
        )
    return chosen


def _cover(grid: list[Combination], names: list[str]) -> list[Combination]:
    pairs = {place: _pairs(combination, names) for place, combination in enumerate(grid)}
    missing = set().union(*pairs.values())
    chosen: list[int] = []
    while missing:
        best = (
            0 if not chosen else max(pairs, key=lambda place: (len(pairs[place] & missing), -place))
        )
        chosen.append(best)
        missing -= pairs[best]
    return [grid[place] for place in chosen]


def _pairs(combination: Combination, names: list[str]) -> set[tuple[str, str, str, str]]:
    if len(names) == 1:
        return {(names[0], combination[names[0]], "", "")}
    return {(a, combination[a], b, combination[b]) for a, b in combinations(names, 2)}
