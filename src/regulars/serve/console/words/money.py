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
EXPERIMENT_STANDS = {
    "draft": N_("draft"),
    "running": N_("running"),
    "stopped": N_("stopped"),
    "concluded": N_("concluded"),
}
EXPERIMENT_METRICS = {
    "buyers": N_("Share of customers who buy"),
    "orders": N_("Orders per customer"),
    "sales": N_("Money paid per customer"),
    "margin": N_("Margin per customer"),
    "basket": N_("Money per order"),
    "refunds": N_("Money paid back per customer"),
}
INFERENCES = {
    "once": N_("once, at the end of its days"),
    "any_time": N_("any time, as often as we like"),
    "planned_looks": N_("a few times, planned beforehand"),
}
EXPERIMENT_DECISIONS = {
    "adopt": N_("A variant is adopted"),
    "keep": N_("The control is kept"),
    "nothing_learned": N_("Nothing was learned"),
}
EXPERIMENT_GATES = {
    "sample_ratio": N_("the split is not as designed."),
    "too_few": N_("too few customers so far."),
    "too_early": N_("it is too early."),
    "leakage": N_("customers of the control got the treatment."),
    "different_before": N_("the variants differed before anything was done."),
    "already_read": N_("it was looked at before its end."),
    "not_read_yet": N_("its look is due and was not taken yet."),
}
EXPERIMENT_VERBS = {
    "put": N_("written"),
    "start": N_("started"),
    "look": N_("looked at"),
    "stop": N_("stopped"),
    "conclude": N_("concluded"),
    "drop": N_("thrown away"),
}
POLICY_STAGES = {
    "shadow": N_("watches only"),
    "canary": N_("serves a few"),
    "live": N_("serves everybody"),
    "rolled_back": N_("decides no more"),
}
POLICY_EVIDENCE = {
    "nothing_logged": N_(
        "no logged decision counts yet: its window must be over, and money and stock left"
    ),
    "few_effective": N_("too few decisions are effective"),
    "one_heavy": N_("one decision carries too much of all weight"),
    "weights_off": N_("it takes actions never tried there, or the logged propensities are wrong"),
    "gain": N_("more a decision by the log"),
    "shadow": N_("it watches"),
    "canary": N_("more a decision by the log"),
    "live": N_("more a customer than the others brought"),
    "rolled_back": N_("a customer beside what the others brought"),
    "displaced": N_("took its place"),
}
POLICY_RULES = {
    "best_value": N_("always the action of most value"),
    "soft_value": N_("actions of more value more often"),
    "epsilon_greedy": N_("the action of most value, now and then any"),
    "thompson": N_("each action as often as it is believed to be the best"),
    "lin_ucb": N_("the action that may be worth most, as far as nobody knows"),
}
POLICY_REFUSALS = {
    "temperature": N_(
        "The value that makes an action e times as likely must be above 0, such as 1."
    ),
    "epsilon": N_(
        "Decisions in which anything may come must be from 0 to 100 per cent, such as 10."
    ),
    "width": N_("How much what is not known counts must be 0 or more, such as 1."),
    "share": N_("The share of customers it serves first must lie between 0 and 100 per cent."),
    "choosing": N_("Choose one of the rules in the list."),
    "number": N_("Give numbers, such as 5 or 0.5."),
}
