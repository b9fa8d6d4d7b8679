"""Refusals of deciding: policies, the budget, channels."""

from regulars.serve.console.words.naming import N_

SENTENCES = (
    N_("%(policy)s stays in the shadow: %(why)s"),
    N_(
        "%(policy)s stays a canary: %(mine)s of its customers and %(others)s others have had "
        "their %(days)s days, wait for more"
    ),
    N_("%(policy)s stays in its stage, %(stage)s: %(why)s"),
    N_("%(policy)s is %(stage)s; there is no stage to go on to"),
    N_("%(policy)s is rolled back already; there is nothing to take back"),
    N_("%(policy)s is a canary now; let it go live or roll it back first"),
    N_("%(policy)s was moved meanwhile; look again"),
    N_("there is a policy %(policy)s already; give a new one another name"),
    N_("name is %(name)s; give small letters, digits, '-', '_' or '.'"),
    N_("reason is empty; say why the policy is taken back"),
    N_("the canary's share is %(share)s, must be in (0, 1), such as 0.05"),
    N_("temperature is %(value)s, must be above 0, such as 1"),
    N_("epsilon is %(value)s, must be from 0 to 1, such as 0.1"),
    N_("width is %(value)s, must be 0 or more, such as 1"),
    N_("%(rule)s needs the spread of each value; give spreads"),
    N_(
        "no logged decision has had its outcome window yet that was drawn before money or "
        "stock ran out in its turn; let the loop decide online, turn it to bring the log to "
        "the lake, and look again later"
    ),
    N_(
        "only %(effective)s of %(all)s decisions are effective, must be %(least)s; log more "
        "exploration, or judge a policy nearer to the one that ran"
    ),
    N_(
        "one decision carries %(share)s of all weight, must be %(most)s at most; log longer, "
        "or with a higher floor on propensities"
    ),
    N_(
        "weights average %(mean)s, must be near 1: the policy takes arms that were never "
        "tried there, or the propensities are wrong"
    ),
    N_("the log is empty; wait until something was decided"),
    N_("the policy takes no arm of the log; it cannot be judged by it"),
    N_(
        "turn %(turn)s has no plan to keep to; turns with a plan: %(turns)s; give one of "
        "them, or 0 for each turn's own plan"
    ),
    N_("it would end %(day)s, which is over; give a later day"),
    N_("the limit would end %(day)s, which is over"),
    N_("the pin would end %(day)s, which is over; give a later day"),
    N_("the override would end %(day)s, which is over"),
    N_(
        "floor %(floor)s and ceiling %(ceiling)s are no limits; give 0 <= floor <= ceiling, "
        "or one of them"
    ),
    N_("no reason is given; say why, it is kept beside the change"),
    N_("a pin of %(amount)s is no amount of money; give 0 or more"),
    N_("a pin needs a reason; say why, whoever reviews it will ask"),
    N_("an override needs a reason; say why, whoever sees it will ask"),
    N_("%(measure)s of %(value)s cannot be; give a share from 0 to 1"),
    N_("flexible %(flexible)s and reserve %(reserve)s are more than 1 together"),
    N_("%(field)s is %(value)s, must be a share from 0 to 1"),
    N_("the budget is %(budget)s, must be 0 or more"),
    N_("no turn has measured any cell yet; run: regulars run, twice or more"),
    N_("the hurdle is %(hurdle)s, must be above 0; 1 is the cost of the money"),
    N_(
        "floors and pins come to %(sum)s, there is %(budget)s to spend; lower them or raise "
        "the budget"
    ),
    N_("%(cell)s has limits twice; give one row per cell"),
    N_("the limits of %(cell)s cannot be: %(says)s"),
    N_("floor is %(floor)s, ceiling %(ceiling)s; give 0 <= floor <= ceiling"),
    N_("%(kind)s is no kind of review; known: %(known)s"),
)
FRAGMENTS = (
    N_("doubly robust value %(value)s, ran %(ran)s: %(gain)s a decision %(interval)s"),
    N_("doubly robust value %(value)s, ran %(ran)s"),
    N_("%(gain)s per customer %(interval)s"),
)
"""What stands only within a sentence: it says too little to be known by itself."""
