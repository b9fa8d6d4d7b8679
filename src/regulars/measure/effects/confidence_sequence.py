"""An interval that may be looked at every turn: a time-uniform confidence sequence."""

import math


def sequence_radius(standard_error: float, *, looks: float, tuned_at: float, level: float) -> float:
    """Half-width of an interval that holds at all looks together, not just at this one.

    A fixed interval read every week claims something sooner or later: with 12 looks a 95 %
    interval excludes a true zero far more often than once in 20. This one excludes it at
    *any* look with probability of at most 1 - level.

    Our looks are turns over the same customers, so what is left unexplained in one turn
    partly returns in the next. That makes successive standardised estimates more alike than
    the independent increments the theorem assumes, and by Slepian's inequality a more alike
    sequence crosses a boundary less often: the promise is kept with room to spare.

    Args:
        standard_error: Standard error of the estimate at this look, >= 0.
        looks: Amount of information so far, in the unit of `tuned_at`: turns, or customers.
        tuned_at: Amount of information at which the interval is to be tightest.
        level: Coverage over all looks together, in (0, 1).

    Returns:
        Half-width, in the unit of the standard error.

    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), "Time-uniform central limit
        theory and asymptotic confidence sequences", Annals of Statistics 52(6), theorem 2.2
        with their approximate best rho; Slepian (1962) for dependent looks.

    Example:
        >>> fixed = 1.96
        >>> round(sequence_radius(1.0, looks=12, tuned_at=12, level=0.95) / fixed, 2)
        1.55
    """
    alpha = 1 - level
    spread = -2 * math.log(alpha)
    rho_squared = (spread + math.log(spread + 1)) / tuned_at
    information = looks * rho_squared
    return standard_error * math.sqrt(
        2 * (information + 1) / information * math.log(math.sqrt(information + 1) / alpha)
    )
