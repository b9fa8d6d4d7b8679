"""Allocation: a sum of money spread over lines, so that the parts come to exactly the sum."""

from collections.abc import Sequence


def allocated(cents: int, weights: Sequence[int]) -> list[int]:
    """Spread a sum over lines by their weight.

    Every line gets its share rounded down; the cents left over go to the largest remainders, of
    equal ones to the line with the larger weight, then to the earlier one. No line gets more than
    its weight while the sum is at most that of the weights.

    Args:
        cents: The sum, 0 or more.
        weights: Money of each line in cents, 0 or more; shape (lines,).

    Returns:
        Cents of each line, which sum to `cents`; all 0 when no line weighs anything.

    Source:
        Largest remainders (Hamilton), as for seats of states.

    Example:
        >>> allocated(100, [100, 100, 100])
        [34, 33, 33]
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [cents * weight // whole for weight in weights]
    rests = [cents * weight % whole for weight in weights]
    left = cents - sum(shares)
    by_rest = sorted(range(len(weights)), key=lambda n: (-rests[n], -weights[n], n))
    for place in by_rest[:left]:
        shares[place] += 1
    return shares
