"""Long term: what is left of a promotion once stocks are used up and customers have stayed or left.

Plain arrays of a randomised promotion are enough; no workspace is needed. `residual_draws` says
what untouched customers will bring, `long_term_effect` puts it together with what was measured.
"""

from regulars.measure.long_term.effect import (
    LongTermEffect,
    Part,
    long_term_effect,
    residual_draws,
)

__all__ = ["LongTermEffect", "Part", "long_term_effect", "residual_draws"]
