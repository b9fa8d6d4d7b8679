"""Words of audiences: the dimensions, where one begins, how conditions are told."""

from regulars.serve.console.words.customers import SCORES
from regulars.serve.console.words.naming import N_

FIVE = {
    "demographic": N_("Demographic: who they are"),
    "psychographic": N_("Psychographic: how they choose"),
    "behavioural": N_("Behavioural: how they shop"),
    "geographic": N_("Geographic: where they are"),
    "social": N_("Social: whom they came by"),
}
GROUPS = {"all": N_("All of these"), "any": N_("Any of these"), "none": N_("None of these")}
WINDOW_KINDS = {
    "days": N_("in the last days"),
    "hours": N_("in the last hours"),
    "between": N_("between two days"),
}
THEN = {"event": N_("and then"), "without": N_("and then not")}
BUYING_TYPES = {
    "deal_seeker": N_("Deal seekers"),
    "novelty_seeker": N_("Novelty seekers"),
    "brand_loyal": N_("Loyal to brands"),
    "deliberate": N_("Deliberate buyers"),
    "habitual": N_("Creatures of habit"),
}
TOLD_FROM = {
    "deal_seeker": N_("The quarter who buy the largest share of their sales at a discount."),
    "novelty_seeker": N_("The quarter who most often buy a product they never bought before."),
    "brand_loyal": N_("The quarter whose spend is concentrated most on few brands."),
    "deliberate": N_("The quarter who look at most products for each order made online."),
    "habitual": N_(
        "The quarter who least often buy a new product and keep to one store more than most."
    ),
}
STATUSES = {
    "granted": N_("consented"),
    "denied": N_("refused"),
    "withdrawn": N_("withdrew"),
    "none": N_("said nothing"),
}
HAPPENED = {
    "$order": N_("bought, anywhere"),
    "$visit": N_("was there, on the web or in a store"),
    "$review": N_("wrote a review"),
}
SOURCES_OF_RULES = {
    "events": N_("events:"),
    "tag": N_("tag:"),
    "audience": N_("audience:"),
    "consent": N_("consent:"),
    "journey": N_("journey:"),
}
SCORES_OF_TURN = SCORES | {
    "rfm_scores.segment": N_("RFM segment"),
    "customer_values.value_tier": N_("Value: high, middle or low"),
    "customer_values.activity_tier": N_("Activity: active, cooling or sleeping"),
    "customer_values.grid_cell": N_("Value and activity together"),
}
EXPORTS = {
    "with clear contact data": N_("with clear contact data"),
    "at all": N_("at all"),
}
"""How somebody wanted to export customers, as a refusal says it."""
