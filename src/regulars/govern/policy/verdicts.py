"""One verdict per possible contact: may it go out, and if not, which rule says so."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.govern.consent import Status
from regulars.govern.policy.reasons import Reason


@dataclass(frozen=True)
class Rules:
    """What the rules of contact are set to.

    Attributes:
        cap_contacts: Most contacts a customer gets within the cap window.
        consent_required: True when only a recorded grant allows a contact; False when
            everything but a recorded refusal does.
        stopped: True during an emergency stop: nothing goes out.
    """

    cap_contacts: int
    consent_required: bool = True
    stopped: bool = False


def contact_verdicts(
    *,
    consent: ArrayLike,
    suppressed: ArrayLike,
    contacts: ArrayLike,
    quiet: ArrayLike,
    rules: Rules,
    holdout: ArrayLike = False,
    in_stock: ArrayLike = True,
) -> NDArray[np.str_]:
    """Judge possible contacts by every rule.

    The send ledger asks the same rules again, in SQL, in the transaction that claims a
    contact; a property test holds the two equal.

    Args:
        consent: Consent status in force: none, granted, denied or withdrawn. All arrays
            broadcast to one shape, such as (customers, channels).
        suppressed: True where the customer may not be reached on the channel any more.
        contacts: Contacts already reserved for the customer within the cap window, >= 0.
        quiet: True where it is quiet time for the customer.
        rules: What the rules are set to.
        holdout: True where the customer belongs to the programme's control group.
        in_stock: False where the offer has run out.

    Returns:
        Reason code of the first rule that refuses, "" where the contact may go out.

    Source:
        Ours, because one place must give the reason: consent before convenience, and rules
        about the customer before rules about the offer.

    Example:
        >>> contact_verdicts(
        ...     consent=["granted", "withdrawn"], suppressed=False, contacts=[2, 0],
        ...     quiet=False, rules=Rules(cap_contacts=2),
        ... ).tolist()
        ['frequency_cap', 'consent_withdrawn']
    """
    said = np.asarray(consent)
    no_word = (said == Status.NONE.value) & rules.consent_required
    refusals = [
        (Reason.GLOBAL_HOLDOUT, np.asarray(holdout, dtype=bool)),
        (Reason.EMERGENCY_STOP, np.asarray(rules.stopped)),
        (Reason.NO_CONSENT, no_word),
        (Reason.CONSENT_DENIED, said == Status.DENIED.value),
        (Reason.CONSENT_WITHDRAWN, said == Status.WITHDRAWN.value),
        (Reason.SUPPRESSED, np.asarray(suppressed, dtype=bool)),
        (Reason.FREQUENCY_CAP, np.asarray(contacts) >= rules.cap_contacts),
        (Reason.QUIET_HOURS, np.asarray(quiet, dtype=bool)),
        (Reason.OUT_OF_STOCK, ~np.asarray(in_stock, dtype=bool)),
    ]
    shape = np.broadcast_shapes(*(refused.shape for _, refused in refusals))
    return np.select(
        [np.broadcast_to(refused, shape) for _, refused in refusals],
        [np.full(shape, reason.value) for reason, _ in refusals],
        default="",
    )
