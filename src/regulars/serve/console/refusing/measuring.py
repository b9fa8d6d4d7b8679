"""Refusals of measuring: experiments, their gates and plans, the scorecard and the report."""

from regulars.serve.console.words.naming import N_

SENTENCES = (
    N_("the form: %(why)s; see the how-to of experiments"),
    N_("the form: %(why)s"),
    N_("id is '%(id)s'; give small letters, digits, '-', '_' or '.', 64 at most"),
    N_("id %(id)s is an address of its own; take another one"),
    N_("%(field)s of %(id)s has %(count)s characters, must have 1 to %(most)s"),
    N_("%(count)s variants, at most %(most)s; drop levels"),
    N_("a variant has no name, or one of more than 100 characters"),
    N_("a value may not be called %(name)s; give it another name"),
    N_("effect is %(effect)s, must be above 0: the smallest change worth finding"),
    N_("traffic is %(traffic)s, must be above 0 and at most 1; give a share"),
    N_("level is %(level)s, power %(power)s; both must be in (0, 1)"),
    N_("days is %(days)s, must be 1 to 366"),
    N_("days is %(days)s, must be 1 to %(most)s; 28 compares like weekdays"),
    N_("looks is %(looks)s, must be 1 to %(most)s"),
    N_("looks is %(looks)s, must be 1 to %(most)s; more looks hardly find anything sooner"),
    N_("looks is %(looks)s; give a whole number, 1 to %(most)s"),
    N_(
        "guardrails are %(names)s, must be different metrics and not the primary one, "
        "%(metric)s; name each once"
    ),
    N_("shares sum to %(sum)s, must sum to 1"),
    N_("%(field)s is %(value)s; give a number"),
    N_("%(field)s is %(value)s; give a number of 0 or more"),
    N_("%(line)s is no factor; write its name, a colon and two levels or more"),
    N_("%(who)s wrote %(id)s at %(at)s; open that one and change it, or take another short name"),
    N_("there is no draft %(id)s any more; write a new one"),
    N_("which draft was seen is not said; open the page again"),
    N_("level %(level)s cannot be kept at every look; give a lower one"),
    N_(
        "power %(power)s at level %(level)s cannot be planned with %(looks)s looks; give 1 "
        "look, or a power well above 1 - level"
    ),
    N_("%(why)s; check the numbers given"),
    N_("%(id)s is %(stand)s, so it cannot be changed any more; keep it under another id"),
    N_("%(id)s is %(stand)s, must be %(wanted_stand)s to be %(done)s"),
    N_("%(who)s wrote %(id)s anew at %(at)s, after it was seen; see it again, then start it"),
    N_("%(id)s would not find what it looks for: %(why)s; or say why it is to start anyway"),
    N_(
        "%(id)s runs with the salt %(salt)s too, so both would deal customers out alike; give"
        " another salt"
    ),
    N_(
        "layer %(layer)s has no room for %(share)s: %(running)s run there; take less traffic "
        "or another layer, or wait"
    ),
    N_("no reason is given; say why it is stopped, it is kept beside the change"),
    N_("no look at %(id)s is due; show it to see when one is"),
    N_("nothing was looked at: %(why)s"),
    N_("nothing is said; say what was learned, it is kept with the experiment"),
    N_("%(id)s shows no effect: %(why)s; so conclude that nothing was learned"),
    N_("variant is %(variant)s; to adopt one, name one of %(known)s"),
    N_(
        "%(metric)s of %(variant)s got worse by %(effect)s %(interval)s, and it must not; "
        "keep %(control)s"
    ),
    N_(
        "%(metric)s of %(variant)s is not told from that of %(control)s; keep %(other)s, or "
        "say why %(again)s is adopted anyway"
    ),
    N_(
        "the split is %(split)s (p = %(p)s), which the design does not give by chance; find "
        "what drops or doubles customers in one variant"
    ),
    N_("variant %(variant)s has %(count)s customers, must have %(least)s or more; wait for more"),
    N_(
        "%(leaked)s customers of %(control)s got the treatment, must be %(most)s at most; "
        "find the way that goes round the assignment"
    ),
    N_(
        "%(run)s of %(planned)s days are over; wait, or read it any time by planning it as "
        "always valid from the start"
    ),
    N_(
        "its effect was looked at %(times)s times before its end, so a fixed interval no "
        "longer holds; read it as always valid"
    ),
    N_(
        "%(variant)s differed by %(effect)s in %(metric)s before anything was done (p = "
        "%(p)s); the assignment is not random"
    ),
    N_(
        "%(share)s of the planned customers have come, the next look is at %(coming)s; looks "
        "in between are not planned, so wait"
    ),
    N_("look %(number)s of %(of)s is due; take it, and everybody is shown what it says"),
    N_(
        "its last day is not over where the shop is, and what is bought until midnight "
        "counts; read it tomorrow"
    ),
    N_("nothing is known of this metric yet: its spread among active customers is 0"),
    N_("nobody came in the weeks before, so nobody would enter"),
    N_(
        "%(customers)s customers are needed, and at most %(most)s ever come; look for a "
        "larger effect than %(effect)s"
    ),
    N_(
        "about %(come)s of %(customers)s customers enter in %(days)s days; run it %(more)s "
        "days or more, or look for a larger effect than %(effect)s"
    ),
    N_("the last day is %(day)s, must be from %(first)s to %(last)s"),
    N_("until is %(day)s, which is not over yet; the last whole day is %(last)s"),
    N_("until is %(day)s, must be a day such as %(example)s"),
    N_("%(period)s is no week, month, quarter or year: %(why)s"),
    N_(
        "%(period)s is no week, month, quarter or year; give a week as 2026-W10, a month as "
        "2026-03, a quarter as 2026-Q1 or a year as 2026"
    ),
    N_("%(period)s ends %(day)s, which is not over yet; ask for an earlier one"),
    N_("format is %(form)s, must be html, pdf or xlsx"),
    N_(
        "no Chromium to print with (looked for %(names)s); install one, on Debian: apt-get "
        "install chromium; or take the report as HTML and print it in any browser"
    ),
)
