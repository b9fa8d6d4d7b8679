"""Every figure of the twin that was invented rather than counted, in one table."""

from dataclasses import dataclass
from types import MappingProxyType

from regulars.errors import UnknownName

WORLDS = ("normal", "null", "hostile", "shift", "outage")


@dataclass(frozen=True)
class Figure:
    """One figure somebody chose.

    Attributes:
        name: Dotted name: what it bears on, then which part of it.
        value: The figure; money in US dollars before the skin's money scale.
        why: What it stands for.
        world: World it belongs to; "" for all.
    """

    name: str
    value: float
    why: str
    world: str = ""


_TEXT = """
    customers.rate_jitter .10 clones of a household differ: spread of log visit rate
    customers.basket_jitter .10 clones of a household differ: spread of log basket
    customers.rate_most 10 most visits a week; a till shared by many looks like one customer
    customers.drop_hazard .003 share of shoppers who go quiet each week
    customers.return_most .25 most of the quiet who come back in a week by themselves
    customers.age_known .9 share of customers whose sign-up form told age and household
    customers.coupon_value .061 share of an order a maker's coupon takes off (counted: 6.1 %)
    customers.day_start 10 hour the first order of a day may come, local time
    customers.day_hours 11 hours the shops take orders
    margin.GROCERY .25 margin over sales, shelf discounts paid by makers
    margin.DRUG_GM .30 margin over sales
    margin.PRODUCE .33 margin over sales
    margin.MEAT .22 margin over sales
    margin.MEAT-PCKGD .24 margin over sales
    margin.DELI .34 margin over sales
    margin.PASTRY .35 margin over sales
    margin.NUTRITION .28 margin over sales
    margin.SEAFOOD-PCKGD .24 margin over sales
    margin.FLORAL .35 margin over sales
    margin.COSMETICS .32 margin over sales
    margin.SALAD_BAR .34 margin over sales
    margin.SEAFOOD .22 margin over sales
    margin.unit_price 3.2 price of one unit, to turn money into pieces
    scale.us 1 money scale: US dollars as in the data
    scale.zh 4 money scale: yuan of a Chinese basket per dollar of an American one
    cost.sms .03 cost of one contact
    cost.app .01 cost of one contact
    cost.letter .02 cost of one contact by WeChat (zh) or e-mail (us)
    consent.sms .80 share of customers who allow the channel at sign-up
    consent.app .65 share of customers who allow the channel at sign-up
    consent.letter .70 share of customers who allow the channel at sign-up
    consent.changed .05 share of allowed channels first refused, allowed in a later visit
    notice.sms .52 share of contacts noticed by the average customer
    notice.app .52 share of contacts noticed by the average customer
    notice.letter .5 share of contacts noticed by the average customer
    notice.sms.age .12 the old read texts: per 15 years above 45
    notice.app.age -.14 the young read the app: per 15 years above 45
    notice.letter.income .10 the well-off read letters: per e-fold of income above 50K
    notice.hidden .15 spread between customers that no profile tells, all channels alike
    notice.hidden_channel .12 spread between customers that no profile tells, by channel
    lift.news .08 orders a noticed contact adds in the week for the average customer
    lift.percent .36 orders a noticed contact adds
    lift.money .36 orders a noticed contact adds
    lift.brand .26 orders a noticed contact adds
    lift.frequency -1.15 the loyal have no room: per e-fold of 1 + weekly orders
    lift.basket .35 big shops can be moved: per e-fold of basket
    lift.news.discount_share -.5 bargain hunters ignore news: per .15 of discount share
    lift.news.income .2 the well-off like news
    lift.news.age .14 the old like news
    lift.percent.discount_share .65 bargain hunters come for a percentage
    lift.percent.private_label -.05 own-brand buyers are less moved by a percentage
    lift.money.coupon_share .2 coupon users come for money off: per .1 of coupon share
    lift.money.basket .4 big baskets reach the least order
    lift.brand.private_label .32 own-brand buyers come for own brands: per .15 of share
    lift.brand.income -.2 the well-off do not come for own brands
    lift.brand.age -.1 the young come for own brands
    lift.hidden .4 spread between customers that no profile tells, all offers alike
    lift.hidden_offer .28 spread between customers that no profile tells, by offer
    lift.most 2 most orders one contact can add
    redeem.base .62 share of would-be buyers who use the coupon they noticed
    redeem.coupon_share .10 coupon users use it more: per .1 of coupon share
    redeem.discount_share .10 bargain hunters use it more: per .15 of discount share
    redeem.hidden .12 spread between customers that no profile tells
    borrow.share .28 share of the orders a contact adds that later weeks would have had
    borrow.week_1 .5 part of it missing one week later
    borrow.week_2 .3 part of it missing two weeks later
    borrow.week_3 .2 part of it missing three weeks later
    winback.share .02 share of quiet customers a noticed contact brings back
    react.share .25 share of customers who dislike being contacted at all
    react.income .06 more of the well-off do
    react.frequency .15 more of the loyal do
    react.loss .3 share of the week's visits they stay away
    fatigue.gain .35 fatigue one contact adds
    fatigue.keep .72 share of fatigue left a week later
    fatigue.deafens .30 how fast fatigue weakens notice
    fatigue.bearable .8 fatigue that does no harm yet
    fatigue.harms .25 how fast fatigue beyond that keeps customers away
    leave.base .0015 share of contacts answered by opting out of the channel
    leave.fatigue 1.2 how fast fatigue raises it
    leave.most .25 most that opt out of one contact
    future.weeks 8 weeks ahead a contact's lasting harm is counted
    future.pace .3 contacts a week a customer would get in them
    offer.percent .10 share off one order
    offer.money 5 money off one order
    offer.money.least 35 least order for money off
    offer.brand .15 share off own brands in one order
    plan.news .20 set aside per contact: content and samples
    plan.percent .50 set aside per contact: expected discount
    plan.money .60 set aside per contact: expected discount
    plan.brand .35 set aside per contact: expected discount
    plan.floor .02 least share of an order left as margin
    stimulus.sign_up .03 share of customers without an account who open one in a week
    stimulus.cart .12 share of shoppers who put something into a cart in a week and leave it
    stimulus.price .05 share of customers a watched product gets cheaper for in a week
    stimulus.stock .03 share of customers a watched product comes back for in a week
    stimulus.points .05 share of customers points of whom expire a month from a week
    budget.per_customer .15 suggested weekly budget per customer
    null:effects.on 0 in the null world a contact does nothing: nobody comes, uses, leaves
    effects.on 1 a contact has effects
    outage.sms 0 share of text messages the channel swallows from the middle of the turns on
    outage.weeks 8 weeks an outage lasts
    outage:outage.sms .97 the provider takes them, is paid, and loses nearly all
    hostile:lift.most .25 few can be moved
    hostile:fatigue.gain 1.2 customers tire fast
    hostile:fatigue.harms .25 and stay away
    hostile:fatigue.bearable .3 and bear little
    hostile:leave.base .015 and opt out
    hostile:react.share .45 and many dislike any contact
"""


def _read(text: str) -> tuple[Figure, ...]:
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, value, why = line.split(maxsplit=2)
        world, _, plain = name.rpartition(":")
        found.append(Figure(plain, float(value), why, world))
    return tuple(found)


FIGURES = _read(_TEXT)


def figures(world: str) -> MappingProxyType[str, float]:
    """Give the figures of one world.

    Args:
        world: One of `WORLDS`. "shift" has the figures of "normal"; what changes at mid-run
            is whom they describe. "outage" too, until a channel breaks at mid-run.

    Returns:
        Value by name; a world's own figure wins over the one for all.

    Raises:
        UnknownName: There is no such world.

    Example:
        >>> figures("normal")["fatigue.gain"] < figures("hostile")["fatigue.gain"]
        True
    """
    if world not in WORLDS:
        raise UnknownName("world", world, WORLDS)
    plain = {figure.name: figure.value for figure in FIGURES if not figure.world}
    own = {figure.name: figure.value for figure in FIGURES if figure.world == world}
    return MappingProxyType(plain | own)


def figure_rows(world: str) -> list[dict[str, str | float]]:
    """List the figures of one world for a report.

    Args:
        world: One of `WORLDS`.

    Returns:
        One mapping per figure: name, value, why; in the order of the table.

    Raises:
        UnknownName: There is no such world.
    """
    values = figures(world)
    why = {figure.name: figure.why for figure in FIGURES if figure.world in {"", world}}
    return [{"name": name, "value": value, "why": why[name]} for name, value in values.items()]
