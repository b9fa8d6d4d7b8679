"""The twin's customers: real households drawn again, with the traits no profile tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.numerics.hashing import keys_of, uniforms
from regulars.twin.catalogue import CHANNELS, OFFERS, Catalogue
from regulars.twin.draws import normal
from regulars.twin.households import Households

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Draw = Callable[..., Floats]

_AGE = {"19-24": 22, "25-34": 30, "35-44": 40, "45-54": 50, "55-64": 60, "65+": 68}
_INCOME = {
    "Under 15K": 12, "15-24K": 20, "25-34K": 30, "35-49K": 42, "50-74K": 62, "75-99K": 87,
    "100-124K": 112, "125-149K": 137, "150-174K": 162, "175-199K": 187, "200-249K": 225,
    "250K+": 300,
}  # fmt: skip
# After the shift an offer is answered as another one was before.
_FLIPPED = {"news": "news", "percent": "brand", "money": "percent", "brand": "money"}
_FLIPPED_CHANNEL = {"sms": "app", "app": "sms", "letter": "letter"}


@dataclass(frozen=True)
class Response:
    """How customers answer contacts.

    Attributes:
        notice: Probability a contact is noticed without fatigue, shape (customers, channels).
        lift: Orders a noticed contact adds, shape (customers, offers).
    """

    notice: Floats
    lift: Floats


@dataclass(frozen=True)
class Population:
    """Everything about the customers that does not change from week to week.

    Attributes:
        ids: Customer ids, ascending, shape (customers,).
        keys: Their keys for random draws.
        household: Row of the household each is drawn from.
        rate: Orders a week while a shopper.
        basket: Money per order before offers, in the skin's currency.
        spread: Spread of the logarithm of an order.
        margin_rate: Margin over sales.
        tastes: Cumulative probability of a line's department, shape (customers, departments).
        private: Share of own brands by department, shape (customers, departments).
        private_share: Share of spend on own brands.
        discount_share: Shelf discounts over undiscounted value.
        coupon_share: Share of orders with a maker's coupon.
        weekend_share: Share of orders at the weekend.
        demographics: Words by tag as the sign-up form told; "" where it did not.
        drop: Probability that a shopper goes quiet in a week.
        back: Probability that a quiet customer returns by himself in a week.
        shopping: True for those who start as shoppers.
        before: Answers to contacts until the shift.
        after: Answers from the shift on.
        redeem: Probability that a would-be buyer uses the coupon, shape (customers, offers).
        loss: Share of the week's visits lost by being contacted at all.
        consent: Channels allowed at the start, shape (customers, channels).
    """

    ids: NDArray[np.str_]
    keys: NDArray[np.uint64]
    household: NDArray[np.int64]
    rate: Floats
    basket: Floats
    spread: Floats
    margin_rate: Floats
    tastes: Floats
    private: Floats
    private_share: Floats
    discount_share: Floats
    coupon_share: Floats
    weekend_share: Floats
    demographics: dict[str, NDArray[np.str_]]
    drop: Floats
    back: Floats
    shopping: Booleans
    before: Response
    after: Response
    redeem: Floats
    loss: Floats
    consent: Booleans


def populate(
    customers: int,
    *,
    seed: int,
    values: Mapping[str, float],
    households: Households,
    book: Catalogue,
    scale: float,
    shifts: bool,
) -> Population:
    """Draw customers from the households.

    Args:
        customers: How many, 1 or more.
        seed: Root of the draws.
        values: Figures of the world.
        households: Habits to draw from.
        book: Catalogue, for margins.
        scale: Money of the skin per dollar of the data.
        shifts: True when answers change at mid-run.

    Returns:
        The customers. The first n of a larger population are the population of n.
    """
    ids = np.array([f"C{number:07d}" for number in range(1, customers + 1)])
    keys = keys_of(ids)

    def uniform(*purpose: object) -> Floats:
        return uniforms(keys, seed, "population", *purpose)

    row = (uniform("household") * len(households.ids)).astype(np.int64)
    rate = np.minimum(
        households.rate[row] * _near_one(uniform("rate"), values["customers.rate_jitter"]),
        values["customers.rate_most"],
    )
    basket = households.basket[row] * _near_one(
        uniform("basket"), values["customers.basket_jitter"]
    )
    donor = _donors(households, row, uniform("donor"))
    words = {tag: column[donor] for tag, column in households.demographics.items()}
    drop, back = _comings(households.present[row], values)
    private = _private(households, row)
    traits = _traits(households, row, rate, basket, words)
    before = _response(traits, values, uniform, flipped=False)
    known = uniform("age known") < values["customers.age_known"]
    return Population(
        ids=ids,
        keys=keys,
        household=row,
        rate=rate,
        basket=basket * scale,
        spread=np.sqrt(np.log1p(households.spread[row] ** 2)),
        margin_rate=households.tastes[row] @ book.margin,
        tastes=np.cumsum(households.tastes[row], axis=1),
        private=private,
        private_share=(households.tastes[row] * private).sum(axis=1),
        discount_share=households.discount_share[row],
        coupon_share=np.minimum(households.coupon_share[row], 0.6),
        weekend_share=households.weekend_share[row],
        demographics={tag: np.where(known, column, "") for tag, column in words.items()},
        drop=drop,
        back=back,
        shopping=uniform("shopping") < back / (back + drop),
        before=before,
        after=_response(traits, values, uniform, flipped=True) if shifts else before,
        redeem=_redeem(traits, values, uniform),
        loss=_loss(traits, values, uniform),
        consent=_consent(values, uniform),
    )


def _near_one(uniform: Floats, spread: float) -> Floats:
    """Factors of mean 1."""
    return np.asarray(np.exp(spread * normal(uniform) - spread**2 / 2))


def _comings(present: Floats, values: Mapping[str, float]) -> tuple[Floats, Floats]:
    """Weekly probabilities of going quiet and of coming back.

    Over many weeks they keep a customer a shopper for the share of the year in which the
    household was seen.

    Returns:
        Probability of going quiet, and of coming back, each of shape (customers,).
    """
    share = np.minimum(present, 0.98)
    drop = values["customers.drop_hazard"] / share
    back = np.minimum(drop * share / (1 - share), values["customers.return_most"])
    return drop, back


def _private(households: Households, row: NDArray[np.int64]) -> Floats:
    """Share of own brands by department: the department's, as the household likes own brands."""
    relative = households.private_share[row] / households.private_share.mean()
    share = households.private_by_department[None, :] * relative[:, None]
    return np.asarray(np.clip(share, 0, 0.95))


def _donors(households: Households, row: NDArray[np.int64], uniform: Floats) -> NDArray[np.int64]:
    """Find whose demographics each customer has: his household's, or those of one alike.

    Two households in three told nothing; they borrow from one that did and visits as often.

    Returns:
        Rows of households, shape (customers,).
    """
    told = np.flatnonzero(households.demographics["age"] != "")
    ranked = told[np.argsort(households.rate[told], kind="stable")]
    near = np.searchsorted(households.rate[ranked], households.rate[row])
    alike = len(ranked) // 5
    first = np.clip(near - alike // 2, 0, len(ranked) - alike)
    borrowed = ranked[first + (uniform * alike).astype(np.int64)]
    return np.where(households.demographics["age"][row] != "", row, borrowed)


def _traits(
    households: Households,
    row: NDArray[np.int64],
    rate: Floats,
    basket: Floats,
    words: Mapping[str, NDArray[np.str_]],
) -> dict[str, Floats]:
    """What a profile tells about a customer, each about -2 to 2."""
    age = np.array([_AGE.get(word, 45) for word in words["age"].tolist()], dtype=float)
    income = np.array([_INCOME.get(word, 50) for word in words["income"].tolist()], dtype=float)
    columns = {
        "frequency": np.log1p(rate) - 0.7,
        "basket": np.log(basket / 27.0),
        "discount_share": (households.discount_share[row] - 0.15) / 0.15,
        "coupon_share": (households.coupon_share[row] - 0.05) / 0.1,
        "private_label": (households.private_share[row] - 0.22) / 0.15,
        "age": (age - 45) / 15,
        "income": np.log(income / 50),
    }
    return {name: np.clip(column, -2, 2) for name, column in columns.items()}


def _linear(traits: Mapping[str, Floats], values: Mapping[str, float], stem: str) -> Floats | float:
    """Add up the figures `stem.trait` times the trait."""
    return sum(
        (values[f"{stem}.{name}"] * column for name, column in traits.items()
         if f"{stem}.{name}" in values),
        0.0,
    )  # fmt: skip


def _response(
    traits: Mapping[str, Floats], values: Mapping[str, float], uniform: Draw, *, flipped: bool
) -> Response:
    common = values["notice.hidden"] * normal(uniform("notice"))
    eager = values["lift.hidden"] * normal(uniform("lift")) + _linear(traits, values, "lift")
    notice, lift = [], []
    for channel in CHANNELS:
        part = _FLIPPED_CHANNEL[channel] if flipped else channel
        own = values["notice.hidden_channel"] * normal(uniform("notice", channel))
        mean = values[f"notice.{part}"] + _linear(traits, values, f"notice.{part}")
        notice.append(np.clip(mean + common + own, 0.03, 0.95))
    for offer in OFFERS:
        part = _FLIPPED[offer] if flipped else offer
        own = values["lift.hidden_offer"] * normal(uniform("lift", offer))
        mean = values[f"lift.{part}"] + _linear(traits, values, f"lift.{part}")
        lift.append(np.clip(mean + eager + own, 0, values["lift.most"]))
    return Response(np.stack(notice, axis=1), np.stack(lift, axis=1) * values["effects.on"])


def _redeem(traits: Mapping[str, Floats], values: Mapping[str, float], uniform: Draw) -> Floats:
    hidden = values["redeem.hidden"] * normal(uniform("redeem"))
    share = np.clip(values["redeem.base"] + _linear(traits, values, "redeem") + hidden, 0.05, 0.95)
    with_coupon = np.array([0.0, 1.0, 1.0, 1.0]) * values["effects.on"]
    return np.asarray(share[:, None] * with_coupon[None, :])


def _loss(traits: Mapping[str, Floats], values: Mapping[str, float], uniform: Draw) -> Floats:
    share = np.clip(values["react.share"] + _linear(traits, values, "react"), 0, 1)
    return np.asarray(
        (uniform("react") < share) * values["react.loss"] * values["effects.on"], dtype=float
    )


def _consent(values: Mapping[str, float], uniform: Draw) -> Booleans:
    """Half of the answer is about being contacted at all, half about the channel."""
    open_to_all = normal(uniform("consent"))
    columns = []
    for channel in CHANNELS:
        leaning = (open_to_all + normal(uniform("consent", channel))) / np.sqrt(2)
        columns.append(leaning < normal(np.array([values[f"consent.{channel}"]])))
    return np.stack(columns, axis=1)
