"""Refusals of rules and forms: approvals, requests, campaigns, audiences, models, alerts."""

from regulars.serve.console.words.naming import N_

SENTENCES = (
    N_("no %(kind)s named %(name)s; known: %(known)s"),
    N_("%(field)s is missing"),
    N_("%(field)s has %(count)s characters, must have %(most)s at most"),
    N_("%(field)s is %(value)s, which cannot be read"),
    N_("%(field)s is %(value)s, must be %(least)s or more"),
    N_("%(field)s is %(value)s, must be above %(least)s"),
    N_("%(field)s is %(value)s, must be below %(most)s"),
    N_("'%(value)s' is not a valid %(kind)s"),
    N_("could not convert string to float: %(value)s"),
    N_("turns is %(turns)s, must be 1 to %(most)s"),
    N_("nobody has said anything about channel %(channel)s; there is nothing to take back"),
    N_("turn %(turn)s is not left out of what is learned; nothing to undo"),
    N_("%(recipe)s serves already for %(family)s; there is nothing to promote"),
    N_("%(recipe)s may not serve for %(family)s: %(why)s"),
    N_("in turn %(turn)s it was found %(verdict)s (%(says)s); mend it, then try it again"),
    N_("it was never tried; run: regulars adjust models try"),
    N_("it was never tried; the loop tries it in time"),
    N_("%(recipe)s has served for %(family)s from the start; nobody was before"),
    N_(
        "%(kind)s %(id)s has changed since request %(number)s was made; ask for approval "
        "again, so that what was read is what goes out"
    ),
    N_("%(who)s did not ask for request %(number)s; its requester may"),
    N_(
        "request %(number)s is %(request_state)s, %(who)s cannot make it "
        "%(wanted_request_state)s; ask for approval again"
    ),
    N_("request %(number)s was decided meanwhile; look"),
    N_("the note has %(count)s characters, must have at most %(most)s"),
    N_("nothing was said; say what should be changed or why"),
    N_(
        "%(who)s is no user who can be asked later, must be one; sign in, or use the API key "
        "of a user (%(command)s)"
    ),
    N_("%(who)s is %(role)s, must be %(least_role)s or more to approve"),
    N_("%(who)s wrote or edited it; somebody else must approve"),
    N_("%(who)s asked for it; somebody else must approve"),
    N_("reason is empty, must say why contacts stop; give a few words"),
    N_("customer is empty; give the id of the customer who asks"),
    N_("a refusal needs its reason; say why, as the customer will be told"),
    N_("request %(number)s asks for %(rights_kind)s, not %(other_rights_kind)s"),
    N_(
        "request %(number)s is %(rights_state)s; it must be %(wanted_rights_state)s to be "
        "carried out"
    ),
    N_("request %(number)s is %(rights_state)s; only one that waits is decided"),
    N_("no rule of %(law)s was in force on %(day)s; give a later day"),
    N_("nobody is signed in; sign in first"),
    N_("nobody is signed in; sign in as a marketer"),
    N_(
        "the copy review refuses %(count)s passages of %(id)s: %(passages)s; change the "
        "content, keep it, and name its new version"
    ),
    N_("campaign %(id)s was edited meanwhile; look again"),
    N_(
        "campaign %(id)s is %(campaign_state)s, nobody has approved it; ask for approval: "
        "%(command)s"
    ),
    N_(
        "campaign %(id)s is not what was approved: its content, findings or tag have changed "
        "since; ask for approval again: %(command)s"
    ),
    N_("reason is empty, must say why the campaign pauses; give a few words"),
    N_("reason is empty, must say why the campaign ends; give a few words"),
    N_("campaign %(id)s was started before and is %(campaign_state)s"),
    N_("the audience of campaign %(id)s is empty; check its list, tag, segment or rule"),
    N_("campaign %(id)s is %(campaign_state)s, not running"),
    N_("campaign %(id)s has no phase that waits for a word"),
    N_("phase %(phase)s is still being sent; wait until it is done"),
    N_("the rule must be a JSON object"),
    N_("a part of the rule is no object; edit it as text"),
    N_("the rule says more than rows can; edit it as text"),
    N_("the rule is no JSON: %(why)s"),
    N_("the rule is too deep for rows; edit it as text"),
    N_("the rule holds %(value)s, must hold texts, numbers, days and lists"),
    N_("audience has %(names)s; known: rule, description, owner"),
    N_("audience name is %(name)s, must be 1 to 64 characters without a slash or line end"),
    N_(
        "the rule has %(count)s conditions with those of the audiences it names, must have at"
        " most %(most)s; name fewer of them"
    ),
    N_("an audience names itself: %(way)s; take one of them out"),
    N_("%(where)s is %(value)s, must be a text of at most %(most)s characters"),
    N_(
        "%(role)s %(who)s may not export customers %(how)s; ask somebody who is at least "
        "%(least_role)s"
    ),
    N_("no reason was given for clear contact data; say what it is for"),
    N_("no profiles yet, and audiences rest on them; run: regulars run --as-of DAY"),
    N_("%(where)s.is is %(value)s; compare a count with a number"),
    N_("%(where)s has %(value)s; give days, or hours, or both from and to"),
    N_("%(where)s.from is %(from)s, must not be after to, %(to)s"),
    N_("%(where)s.is is %(value)s, must be one of: %(known)s"),
    N_("%(where)s.sequence is %(value)s, must be a list of 2 to %(most)s steps"),
    N_("%(where)s.sequence has 'without' before its end; only the last step may be absent"),
    N_("%(where)s is %(value)s, must have event, or without, and not both"),
    N_("%(where)s must have within_days or within_hours, one of them"),
    N_("%(where)s is %(value)s, must be a day such as 2026-12-31"),
    N_("audience %(name)s has no version %(version)s; it has: %(known)s"),
    N_("audience %(name)s is named by the rule of %(users)s; change that one first"),
    N_("no customer has %(what)s yet; import orders and run a turn: regulars run"),
    N_("number is missing; take a merge back from the merge log"),
    N_("%(where)s is %(value)s; with a $ there are: %(known)s"),
    N_("%(where)s has %(value)s; it may have: %(known)s"),
    N_("%(where)s is %(value)s, must be a whole number from 1 to %(most)s"),
    N_(
        "key name is %(name)s, must be 1 to 64 letters, digits or ._-, starting with a letter or "
        "digit"
    ),
    N_(
        "a publishable key is for the pages of named origins and none is given; give one such as "
        "https://shop.example"
    ),
    N_(
        "a publishable key named %(name)s was given out before; choose another name, so that the "
        "audit log stays clear"
    ),
    N_(
        "origin is %(value)s, must be scheme and host such as https://shop.example, without a "
        "path or a star"
    ),
    N_("%(where)s.score %(value)s; known: %(known)s"),
)
