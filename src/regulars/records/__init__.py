"""The vocabulary: frozen records and declared tables; no input or output."""

from regulars.records.campaigns import CAMPAIGNS
from regulars.records.commerce import COMMERCE
from regulars.records.events import EVENTS
from regulars.records.facts import FACTS
from regulars.records.market import MARKET
from regulars.records.scores import ONLINE, SCORES
from regulars.records.tables import Column, DataClass, Table
from regulars.records.turn import Turn

TABLES: dict[str, Table] = {
    table.name: table
    for table in (*FACTS, *MARKET, *COMMERCE, *EVENTS, *SCORES, *ONLINE, *CAMPAIGNS)
}

# Tables that gained columns after workspaces had them: their older files lack some.
GROWN = frozenset({"customers", "decisions"})

__all__ = [
    "CAMPAIGNS",
    "COMMERCE",
    "EVENTS",
    "FACTS",
    "GROWN",
    "MARKET",
    "ONLINE",
    "SCORES",
    "TABLES",
    "Column",
    "DataClass",
    "Table",
    "Turn",
]
