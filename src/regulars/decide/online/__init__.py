"""Online: one decision for one customer now, by what the newest turn believes and money costs."""

from regulars.decide.online.deciding import OnlineDecision, decide_online
from regulars.decide.online.knowledge import Knowledge, Traits

__all__ = ["Knowledge", "OnlineDecision", "Traits", "decide_online"]
