"""Assignment to holdouts: who is left alone so that the effect can be measured."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.numerics.given import number_given
from regulars.numerics.hashing import keys_given, uniforms


def held_out(keys: ArrayLike, *, seed: int, purpose: str, share: float) -> NDArray[np.bool_]:
    """Say who belongs to a holdout.

    The same customer is always in or always out of one holdout; another purpose (another
    campaign) draws afresh and independently.

    Args:
        keys: Customer ids, or their keys from `keys_of`, shape (customers,).
        seed: The workspace's seed.
        purpose: "global" for the programme, the campaign id for a campaign.
        share: Share held out, 0 to 1.

    Returns:
        True for the customers held out, shape (customers,).

    Raises:
        InputError: An id is missing, or the share is not from 0 to 1.

    Source:
        Kohavi, Tang & Xu (2020), "Trustworthy Online Controlled Experiments", ch. 3:
        randomisation by salted hash.

    Example:
        >>> ids = [str(i) for i in range(10_000)]
        >>> int(held_out(ids, seed=7, purpose="global", share=0.05).sum())
        500
    """
    number_given(share, "share", least=0, most=1)
    return uniforms(keys_given(keys), seed, "holdout", purpose) < share
