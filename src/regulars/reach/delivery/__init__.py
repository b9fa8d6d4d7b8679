"""Delivery: the send ledger; claim, send, confirm, and one fate for everybody.

Every customer of the audience has one row in the ledger per turn. A row that is to go out
moves planned -> claimed -> sent, or failed, or unknown; every other row has its fate from the
start, or gets it from the rules of contact in the transaction that would have claimed it.
"""

from regulars.reach.delivery.fates import Tally, tally
from regulars.reach.delivery.keys import contact_key
from regulars.reach.delivery.plan import WINDOW, planned_rows

__all__ = ["WINDOW", "Tally", "contact_key", "planned_rows", "tally"]
