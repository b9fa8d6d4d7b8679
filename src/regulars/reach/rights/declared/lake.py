"""Which tables of the lake hold a customer, and what becomes of their rows when he is erased.

Orders, what was decided and what it was sent for stay, under a pseudonym, so that sales, stock
and measured effects remain what they were. What describes the customer is deleted.
"""

from regulars.reach.rights.declared.held import Held

_ONE = ("customer_id",)


def _sum(table: str, means: str, *, emptied: tuple[str, ...] = ()) -> Held:
    return Held(table, _ONE, "pseudonym", means, emptied=emptied)


def _gone(table: str, means: str) -> Held:
    return Held(table, _ONE, "delete", means)


IN_LAKE: tuple[Held, ...] = (
    _gone("customers", "who the customer is, as the retailer's files say"),
    _sum("orders", "an order"),
    _sum("order_lines", "a line of an order"),
    _sum("order_versions", "an order as a message told it"),
    _sum("order_version_lines", "a line of an order as a message told it"),
    _sum("returns", "a return"),
    _sum("redemptions", "a coupon used"),
    _gone("visits", "a visit"),
    _gone("presences", "a visit as a sensor or a page told it"),
    _gone("reviews", "a review"),
    _gone("service_tickets", "a case of customer service"),
    _sum("survey_answers", "an answer to a survey", emptied=("answer",)),
    _sum("campaign_members", "targeted by a campaign of the retailer"),
    _sum("campaign_assignments", "drawn for a campaign, or held out"),
    Held("consents", _ONE, "proof", "what the customer said, as files told it", why="consent"),
    _sum("contact_outcomes", "what became of a contact"),
    _sum("contacts", "a contact of a turn, and its fate"),
    _sum("decisions", "what a turn decided, and from what"),
    _sum("online_decisions", "what was decided at once, and from what"),
    _gone("profiles", "the profile of a turn"),
    _gone("tag_members", "a tag"),
    _gone("rfm_scores", "how the customer buys"),
    _gone("customer_values", "what the customer is expected to spend"),
    _gone("churn_scores", "whether the customer may not come back"),
    _gone("audience_changes", "when the customer entered or left an audience"),
    _gone("marked_customers", "left out of effects, and why"),
    Held("actor_scores", ("actor",), "delete", "how far a program was suspected"),
    Held("marked_actors", ("actor",), "delete", "taken for a program, and why"),
    Held("events", ("user_id", "anonymous_id"), "delete", "an event"),
    Held("refused_events", (), "delete", "an event held back, encrypted", hidden=("raw",)),
    Held("quarantine", (), "delete", "a row of a file held back, encrypted"),
)
"""Every table of the lake with a row about a customer."""

FOUND_SEALED = frozenset({"refused_events", "quarantine"})
"""Tables whose rows have to be opened to see whose they are."""
