"""Doors: how the twin meets the rest of the world, in the names and money of one country."""

from regulars.twin.doors.files import (
    Doors,
    offers_file,
    read_contacts,
    starting_facts,
    week_facts,
    write_facts,
)
from regulars.twin.doors.happenings import birthdays, week_events
from regulars.twin.doors.skins import SKINS, Skin, skin_named

__all__ = [
    "SKINS",
    "Doors",
    "Skin",
    "birthdays",
    "offers_file",
    "read_contacts",
    "skin_named",
    "starting_facts",
    "week_events",
    "week_facts",
    "write_facts",
]
