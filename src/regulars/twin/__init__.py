"""The twin: a simulated grocer with known truth, met only through files in and contacts out."""

from regulars.twin.doors import SKINS, Skin, birthdays, week_events
from regulars.twin.figures import FIGURES, WORLDS, Figure, figure_rows
from regulars.twin.households import moments
from regulars.twin.population import Population
from regulars.twin.response import Rules, WeekEffects
from regulars.twin.retailer import Plan, Twin
from regulars.twin.state import State
from regulars.twin.watching import watched_habits
from regulars.twin.week import Contacts, Outcome

__all__ = [
    "FIGURES",
    "SKINS",
    "WORLDS",
    "Contacts",
    "Figure",
    "Outcome",
    "Plan",
    "Population",
    "Rules",
    "Skin",
    "State",
    "Twin",
    "WeekEffects",
    "birthdays",
    "figure_rows",
    "moments",
    "watched_habits",
    "week_events",
]
