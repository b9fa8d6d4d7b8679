"""How coupons of offers are made: by whoever is handed in, within the same transaction."""

from datetime import datetime
from typing import Any, Protocol

from regulars.errors import NotReady


class IssueCoupon(Protocol):
    """Makes a coupon of an offer for a customer; the same key again gives the same code."""

    def __call__(
        self, opened: Any, offer_id: str, customer_id: str, key: str, now: datetime, /
    ) -> str:
        """Make the coupon within a write transaction; give its code.

        Raises:
            NotAllowed: The offer gives this customer none now; nothing was written.
        """


def no_coupons(_opened: Any, offer_id: str, _customer_id: str, _key: str, _now: datetime, /) -> str:
    """Stand where nobody makes coupons.

    Raises:
        NotReady: Always.
    """
    raise NotReady(f"nobody makes coupons of offer {offer_id} here; call it where offers are kept")
