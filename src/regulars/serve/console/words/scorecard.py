"""Words of the scorecard and of models: stages, why unknown, families, recipes, verdicts."""

from regulars.serve.console.words.naming import N_

FUNNEL_STAGES = {
    "acquisition": N_("Acquisition"),
    "activation": N_("Activation"),
    "retention": N_("Retention"),
    "referral": N_("Referral"),
    "revenue": N_("Revenue"),
    "health": N_("Health"),
}
UNKNOWN_WHY = {
    "no_table": N_("nothing of the kind is kept"),
    "no_rows": N_("nothing of the kind was imported"),
    "begins_late": N_("the data begins too late"),
    "ended": N_("the data ends before the period"),
    "nobody": N_("there is nobody to count it of"),
}
MODEL_FAMILIES = {
    "value": N_("What will customers spend?"),
    "orders": N_("How often will they order, and who has left?"),
    "churn": N_("Who may not come back?"),
    "response": N_("What does a contact change?"),
}
RECIPES = {
    "spend_habits": N_("habits"),
    "spend_bg_nbd": N_("orders times spend"),
    "spend_rate": N_("rate so far"),
    "bg_nbd": N_("BG/NBD"),
    "mbg_nbd": N_("MBG/NBD"),
    "pareto_nbd": N_("Pareto/NBD"),
    "hazard": N_("hazard"),
    "boosting": N_("boosted trees"),
    "by_customer": N_("by customer"),
    "by_arm": N_("by offer and channel only"),
}
MODEL_STATES = {
    "champion": N_("serves"),
    "challenger": N_("may be promoted"),
    "shadow": N_("in the shadow"),
    "retired": N_("served before"),
}
MODEL_VERDICTS = {
    "better": N_("better"),
    "not_better": N_("not better"),
    "too_few": N_("too few customers"),
    "uncalibrated": N_("off in total"),
    "suspicious": N_("too good to be believed"),
    "peeks": N_("reads later days"),
    "not_finite": N_("predictions are missing"),
    "out_of_range": N_("impossible predictions"),
    "failed": N_("failed"),
}
MODEL_VERBS = {
    "promote": N_("promoted"),
    "rollback": N_("rolled back"),
    "guard": N_("passed over: the champion could not serve"),
}
