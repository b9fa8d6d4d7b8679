"""Words of the money: what holds a cell where it is, stages and measures of channels, reviews."""

from regulars.serve.console.words.customers import SEGMENTS
from regulars.serve.console.words.naming import N_

BOUND_BY = {
    "price": N_("more money brings as much elsewhere"),
    "floor": N_("its least spend"),
    "ceiling": N_("its most spend"),
    "pin": N_("pinned by a person"),
    "risk": N_("the risk allowed"),
    "worthless": N_("not worth its money"),
    "fixed": N_("its fixed part"),
    "budget": N_("the money there is"),
    "unplanned": N_("not in the plan kept to"),
}
STAGES = {
    "new": N_("new"),
    "active": N_("active"),
    "cooling": N_("cooling"),
    "sleeping": N_("sleeping"),
    "unknown": N_("not known"),
    "*": N_("all stages"),
}
ABILITIES = {
    "reach": N_("Arrive"),
    "engage": N_("Open or click"),
    "convert": N_("Buy in the window"),
    "cost": N_("Cost of a contact"),
}
REVIEW_KINDS = {
    "monthly": N_("monthly"),
    "quarterly": N_("quarterly"),
    "annual": N_("annual"),
}
CELL_SEGMENTS = SEGMENTS | {"unscored": N_("not scored")}
