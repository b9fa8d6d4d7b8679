"""Assignment to holdouts: who is left alone so that the effect can be measured."""

import numpy as np
from numpy.typing import NDArray

from regulars.numerics.hashing import uniforms


def held_out(
    keys: NDArray[np.uint64], *, seed: int, purpose: str, share: float
) -> NDArray[np.bool_]:
    """Say who belongs to a holdout.

    The same customer is always in or always out of one holdout; another purpose (another
    campaign) draws afresh and independently.

    Args:
        keys: Customer keys from `numerics.hashing.keys_of`, shape (customers,).
        seed: The workspace's seed.
        purpose: "global" for the programme, the campaign id for a campaign.
        share: Share held out, 0 to 1.

    Returns:
        True for the customers held out, shape (customers,).

    Source:
        Kohavi, Tang & Xu (2020), "Trustworthy Online Controlled Experiments", ch. 3:
        randomisation by salted hash.

    Example:
        >>> from regulars.numerics.hashing import keys_of
        >>> keys = keys_of([str(i) for i in range(10_000)])
        >>> int(held_out(keys, seed=7, purpose="global", share=0.05).sum())
        500
    """
    return uniforms(keys, seed, "holdout", purpose) < share
