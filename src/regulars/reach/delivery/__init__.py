"""Delivery: the send ledger; claim, send, confirm, and one fate for everybody.

Every customer of the audience of a run has one row in the ledger per step. A row that is to go
out moves planned -> claimed -> sent, or failed, or unknown; a held one is deferred and planned
again; every other row has its fate from the start, or gets it from the rules of contact in the
transaction that would have claimed it.
"""

from regulars.reach.delivery.fates import Tally, tally
from regulars.reach.delivery.keys import contact_key
from regulars.reach.delivery.ledger.pace import Pace, pace_of
from regulars.reach.delivery.plan import planned_rows
from regulars.reach.delivery.reports import Alert, Attempt, TickReport
from regulars.reach.delivery.runs import Member, Run, run_key, turn_run

__all__ = [
    "Alert",
    "Attempt",
    "Member",
    "Pace",
    "Run",
    "Tally",
    "TickReport",
    "contact_key",
    "pace_of",
    "planned_rows",
    "run_key",
    "tally",
    "turn_run",
]
