"""Words of journeys: nodes, ways, entries, states, what a dry run cannot tell."""

from regulars.serve.console.words.naming import N_

NODES = {
    "wait": N_("Wait"),
    "wait_for_event": N_("Wait for event"),
    "window": N_("Time of day"),
    "branch": N_("Branch"),
    "split": N_("Split"),
    "decide": N_("Decide"),
    "message": N_("Message"),
    "tag": N_("Give a tag"),
    "points": N_("Points"),
    "coupon": N_("Coupon"),
    "webhook": N_("Webhook"),
    "goal": N_("Goal"),
    "exit": N_("Leave"),
}
WAYS = {
    "next": N_("then"),
    "event": N_("it came"),
    "timeout": N_("it did not"),
    "otherwise": N_("otherwise"),
    "chosen": N_("chosen"),
    "none": N_("nothing"),
    "taken_out": N_("taken out"),
    "reached_goal": N_("goal reached"),
    "ended": N_("left"),
    "moved": N_("moved by a new version"),
}
ENTRIES = {
    "event": N_("Comes in by event"),
    "audience": N_("Comes in by audience"),
    "date": N_("Comes in by date"),
    "schedule": N_("Comes in by schedule"),
}
UNITS = {
    "days": N_("%(number)s days"),
    "hours": N_("%(number)s hours"),
    "minutes": N_("%(number)s minutes"),
}
SIDES = {"before": N_("days before"), "on": N_("on the day"), "after": N_("days after")}
EVERY = {"day": N_("every day"), "week": N_("every week on"), "month": N_("every month on day")}
WEEKDAYS = {
    "mon": N_("Mon"),
    "tue": N_("Tue"),
    "wed": N_("Wed"),
    "thu": N_("Thu"),
    "fri": N_("Fri"),
    "sat": N_("Sat"),
    "sun": N_("Sun"),
}
ENTRY_KINDS = {
    "event": N_("An event"),
    "date": N_("A day of theirs"),
    "audience": N_("Coming into an audience"),
    "schedule": N_("A schedule"),
}
DOES = {"add": N_("Give it"), "remove": N_("Take it away")}
DATES = {"birthday": N_("birthday"), "points_expiring": N_("points expire")}
JOURNEY_STATES = {
    "draft": N_("draft"),
    "running": N_("running"),
    "paused": N_("paused"),
    "stopped": N_("stopped"),
}
ASSIGNED = {
    "contact": N_("walking"),
    "campaign_holdout": N_("left alone to measure"),
    "global_holdout": N_("left alone by the programme"),
}
REENTRIES = {
    "never": N_("once for all"),
    "after_exit": N_("again when she has left"),
    "always": N_("at every occurrence"),
    "after_days": N_("again after days"),
}
NOTES = {
    "orders_from_files": N_("Orders came in files, not as events: a real run will not hear them."),
    "one_turn_only": N_(
        "Fewer than two turns were run, so nobody is seen to come into the audience."
    ),
    "audience_of_today": N_("The audience is that of today."),
}
BASES = {
    "journey": N_("this journey, measured before"),
    "offer": N_("contacts with the same offers, measured before"),
    "unknown": N_("nothing like it was measured here yet"),
}
NEEDS = {
    "event": N_("Event"),
    "field": N_("Field"),
    "profiles": N_("Profiles"),
    "points": N_("Points"),
    "survey": N_("Survey"),
    "channel": N_("Channel"),
    "offer": N_("Offer"),
}
JOURNEY_FIELDS = {
    "days": N_("Days"),
    "hours": N_("Hours"),
    "minutes": N_("Minutes"),
    "at": N_("At this time of day (optional)"),
    "weekdays": N_("On these days (optional)"),
    "event": N_("Event name"),
    "timeout_days": N_("At most, days"),
    "timeout_hours": N_("At most, hours"),
    "timeout_minutes": N_("At most, minutes"),
    "from": N_("From"),
    "to": N_("Until"),
    "arms": N_("Arms (name weight, one a line)"),
    "offers": N_("Offers, one a line"),
    "channels": N_("Channels, the preferred one first, one a line"),
    "content": N_("Content (channel = name@version, one a line)"),
    "message_class": N_("Class"),
    "topic": N_("Topic (optional)"),
    "offer": N_("Offer"),
    "priority": N_("Priority"),
    "tag": N_("Tag"),
    "do": N_("Add or remove"),
    "points": N_("Points"),
    "reason": N_("Reason"),
    "hook": N_("Webhook"),
    "body": N_("Body (name = value, one a line)"),
    "goal": N_("Goal"),
    "note": N_("What it is for (optional)"),
}
