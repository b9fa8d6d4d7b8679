"""Words of the loop: fates, reasons, channels, effects."""

from regulars.serve.console.words.naming import N_

ROLES = {
    "viewer": N_("viewer"),
    "analyst": N_("analyst"),
    "marketer": N_("marketer"),
    "approver": N_("approver"),
    "admin": N_("admin"),
}
TURN_STATES = {
    "open": N_("in progress"),
    "closed": N_("closed"),
    "looked": N_("looked only, nobody contacted"),
}
FATES = {
    "sent": N_("Sent"),
    "holdout": N_("Held out to measure"),
    "abstained": N_("Left alone"),
    "skipped": N_("Skipped"),
    "deferred": N_("Put off"),
    "failed": N_("Failed"),
    "unknown": N_("Unconfirmed"),
}
VERDICTS = {
    "send": N_("To be contacted"),
    "holdout": N_("Held out to measure"),
    "abstain": N_("Left alone"),
    "skip": N_("Skipped"),
    "defer": N_("Put off"),
}
REASONS = {
    "chosen": N_("chosen: worth more than it costs"),
    "exploration": N_("left alone by the draw that keeps learning honest"),
    "negative_value": N_("no offer was worth its cost"),
    "margin_floor": N_("would cut below the margin floor"),
    "budget": N_("the budget went to customers worth more"),
    "global_holdout": N_("in the control group of the whole programme"),
    "campaign_holdout": N_("in the control group of this campaign"),
    "channel_held": N_("the channel is left alone: it broke, or somebody said so"),
    "no_consent": N_("no consent recorded for this channel"),
    "consent_denied": N_("consent was denied"),
    "consent_withdrawn": N_("consent was withdrawn"),
    "suppressed": N_("on the do-not-contact list"),
    "consent_stale": N_("consent rests on an older notice than the one required"),
    "topic_left": N_("left this topic"),
    "child_without_guardian": N_("under 14 without a guardian's consent"),
    "minor": N_("under 18: no marketing chosen by a program"),
    "platform_forbids": N_("the platform forbids such contacts"),
    "no_grant": N_("no subscribe grant is left"),
    "platform_quota": N_("the platform's quota is used up"),
    "outranked": N_("a contact of higher priority took the room"),
    "opted_out": N_("unsubscribed"),
    "complained": N_("complained about an earlier contact"),
    "bounced": N_("address or number does not exist"),
    "frequency_cap": N_("contacted often enough lately"),
    "quiet_hours": N_("quiet hours"),
    "emergency_stop": N_("all contacts were stopped"),
    "stopped": N_("the campaign was stopped"),
    "out_of_stock": N_("the offer has run out"),
    "customer_limit": N_("the customer has as many codes of the offer as it allows"),
    "experiment": N_("the customer's variant of an experiment leaves the offer out"),
    "stock": N_("the offer has run out"),
    "no_channel": N_("no channel reaches this customer"),
    "no_offer": N_("no offer runs now"),
    "profiling_refused": N_("profiling was refused"),
    "handed_over": N_("handed to the channel"),
    "delivered": N_("delivered"),
    "unconfirmed": N_("the channel did not confirm before a crash"),
    "no_answer": N_("the channel did not answer"),
    "invalid_number": N_("the number cannot be reached"),
    "refused_by_provider": N_("the provider refused"),
    "rate_limited": N_("the provider's limit was reached"),
}
METRICS = {
    "margin": N_("Margin, after offers"),
    "sales": N_("Sales"),
    "orders": N_("Orders"),
    "residual_value": N_("Expected future margin"),
}
EFFECT_STATES = {
    "ok": N_("measured"),
    "srm": N_("not readable: the split is not as designed"),
    "too_few": N_("not readable: too few customers"),
}
TERMS = {
    "turn": N_("Turn"),
    "holdout": N_("Held out"),
    "interval": N_("Interval"),
    "mde": N_("Smallest effect we could see"),
    "claim": N_("Claimed"),
    "future": N_("Expected future margin"),
    "gate": N_("Gate"),
}
TERM_MEANINGS = {
    "turn": N_(
        "One round of the loop, usually a week: look at the data, learn from what was measured, "
        "decide for every customer, contact."
    ),
    "holdout": N_(
        "Customers chosen like the others and then, by lot, not contacted. What they buy anyway "
        "shows what contacts really added."
    ),
    "interval": N_(
        "Where the true effect lies, as far as the data can tell. If it reaches below zero, the "
        "contacts may have added nothing."
    ),
    "mde": N_(
        "A smaller effect would not stand out from chance with so many customers. Wait, contact "
        "more customers or hold more out to see smaller ones."
    ),
    "claim": N_("The effect holds even though it is looked at after every turn."),
    "future": N_("What contacted customers are expected to buy later, above what they would have."),
    "gate": N_("A check that must pass before an effect is shown, so that chance is not read."),
}
CHANNELS = {
    "sms": N_("SMS"),
    "app": N_("App push"),
    "email": N_("E-mail"),
    "wecom": N_("WeCom"),
    "wechat": N_("WeChat"),
    "call": N_("Phone call"),
    "mail": N_("Direct mail"),
    "letter": N_("Letter"),
    "*": N_("all channels"),
}
COMPARISONS = {
    "programme": N_("All contacts so far"),
    "campaign": N_("Campaign"),
    "journey": N_("Journey"),
    "turn": N_("All offers of a turn"),
    "offer": N_("Offer of a turn"),
}
RUNNING = {
    "running": N_("running"),
    "ended": N_("over"),
}
GATES = {
    "ok": N_("open: may be read"),
    "waiting": N_("waits: no outcome window has passed"),
    "nobody_held_out": N_("closed: nobody was held out"),
    "srm": N_("closed: the split is not as designed"),
    "too_few": N_("closed: too few customers"),
}
GATE_ADVICE = {
    "nobody_held_out": N_(
        "Without customers held out nobody can tell what would have happened anyway. Hold some "
        "out next time."
    ),
    "srm": N_(
        "Chance alone hardly gives such a split: something drops or doubles customers on one "
        "side. Find it before reading anything."
    ),
    "too_few": N_(
        "The interval would not hold. Wait for more customers, or hold out a larger share."
    ),
}
