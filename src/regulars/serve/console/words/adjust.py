"""Words of adjusting: what is watched of a channel, how bad it is, what was done, what is tuned."""

from regulars.serve.console.words.naming import N_

WATCHED = {
    "delivered": N_("delivered"),
    "opened": N_("opened or clicked"),
    "opted_out": N_("left or complained"),
    "failed": N_("failed or bounced"),
    "cost": N_("cost per contact"),
    "effect": N_("margin caused per contact"),
}
GRAVITIES = {
    "better": N_("better than usual"),
    "worse": N_("worse than usual"),
    "broken": N_("broken"),
}
MOVES = {
    "held": N_("left alone"),
    "released": N_("used anyway: a person said so"),
    "needs_person": N_("nothing: a person must decide"),
    "none": N_("nothing needed"),
}
HOLD_SOURCES = {"automatic": N_("by itself"), "person": N_("by a person")}
HOLD_REASONS = {
    "delivered broken": N_("contacts do not arrive"),
    "opened broken": N_("contacts are not opened"),
    "opted_out broken": N_("contacts drive customers away"),
    "failed broken": N_("contacts fail"),
    "cost broken": N_("contacts cost more than twice as much"),
}
TUNED = {
    "spend_share": N_("Share of the budget opened"),
    "calibration": N_("Measured over predicted effect"),
    "slope_z": N_("How sure predictions are, in standard errors"),
    "after_contact": N_("Later orders per contact"),
    "after_effect": N_("Later orders per order caused"),
}
WAITING = {
    "alert": N_("Alerts about channels: leave one alone, or say that it was looked at"),
    "erasure": N_("Erasures that customers asked for: approve or refuse"),
    "approval": N_("Marketing that waits for your approval"),
    "policy": N_("Policies on their way: see whether one may go a stage on"),
    "model": N_("Models with a challenger that may be promoted"),
    "review": N_("Reviews of the budget that are due"),
    "experiment_read": N_("Experiments that may be read now"),
    "experiment_end": N_("Stopped experiments: say what was learned"),
    "experiment_start": N_("Drafts of experiments: start or change them"),
}
