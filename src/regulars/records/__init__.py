"""The vocabulary: frozen records and declared tables; no input or output."""

from regulars.records.commerce import COMMERCE
from regulars.records.events import EVENTS
from regulars.records.facts import FACTS
from regulars.records.market import MARKET
from regulars.records.scores import SCORES
from regulars.records.tables import Column, DataClass, Table
from regulars.records.turn import Turn

TABLES: dict[str, Table] = {
    table.name: table for table in (*FACTS, *MARKET, *COMMERCE, *EVENTS, *SCORES)
}

__all__ = [
    "COMMERCE",
    "EVENTS",
    "FACTS",
    "MARKET",
    "SCORES",
    "TABLES",
    "Column",
    "DataClass",
    "Table",
    "Turn",
]
