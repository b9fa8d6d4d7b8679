"""What journeys do with points, and rewards bought with them."""

from dataclasses import dataclass
from datetime import datetime

from regulars.errors import UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Transaction
from regulars.reach.loyalty.acting.coupons import IssueCoupon, no_coupons
from regulars.reach.loyalty.ledger.records import Outcome, check_hand_key, earn, redeem
from regulars.reach.loyalty.ledger.service import post
from regulars.reach.loyalty.programme.service import need_programme, programme_in


@dataclass(frozen=True)
class Bought:
    """A reward bought with points.

    Attributes:
        outcome: What the ledger said.
        code: Code of the coupon; "" when refused.
    """

    outcome: Outcome
    code: str


def points_action(
    opened: Transaction,
    customer_id: str,
    points: int,
    reason: str,
    key: str,
    now: datetime,
    *,
    zone: str = "UTC",
) -> Outcome:
    """Give a customer points, or take some, as one step of something else.

    Args:
        opened: The write transaction of the caller: it commits with what he does.
        customer_id: Whose.
        points: Above 0 to give, usable at once and expiring as the programme says; below 0 to
            take, those that expire first.
        reason: Why, as a word.
        key: Idempotency key: the same again is the same outcome.
        now: The moment, aware.
        zone: IANA zone days are counted in.

    Returns:
        What came of it; a refusal is an outcome with a reason, not an error.

    Raises:
        InputError: No points, or a key used for something else.
    """
    programme = programme_in(opened)
    policy = programme.policy if programme else None
    if points < 0:
        ask = redeem(key, customer_id, -points, reason=reason)
    else:
        expires = programme.moments(now, zone=zone)[1] if programme else None
        ask = earn(key, customer_id, points, reason=reason, expires_at=expires)
    return post(opened, [ask], now=now, policy=policy)[0]


def buy_reward(
    opened: Transaction,
    customer_id: str,
    reward_id: str,
    key: str,
    *,
    actor: str,
    now: datetime,
    issue_coupon: IssueCoupon = no_coupons,
) -> Bought:
    """Spend points on a reward: both happen, or neither.

    Args:
        opened: A write transaction.
        customer_id: Who buys.
        reward_id: A reward of the programme.
        key: Idempotency key; the coupon carries it too.
        actor: Who asks, for the audit log; a refusal is not in it, for nothing changed.
        now: The moment, aware.
        issue_coupon: Makes the coupon; what it raises takes the points back.

    Returns:
        The outcome, and the code of the coupon.

    Raises:
        InputError: The key is one the programme may give.
        UnknownName: The programme has no such reward.
        NotReady: There is no programme, or nobody makes coupons.
    """
    check_hand_key(key)
    programme = need_programme(opened)
    rewards = {one.id: one for one in programme.rewards}
    if reward_id not in rewards:
        raise UnknownName("reward", reward_id, rewards)
    reward = rewards[reward_id]
    ask = redeem(key, customer_id, reward.points, reason="reward", reference=reward.id)
    [told] = post(opened, [ask], now=now, policy=programme.policy)
    if told.refused:
        return Bought(told, "")
    if told.is_new:
        detail = {"reward": reward.id, "points": told.points}
        record(
            opened,
            actor=actor,
            action="points.buy",
            subject=told.customer_id,
            detail=detail,
            at=now,
        )
    return Bought(told, issue_coupon(opened, reward.offer_id, told.customer_id, key, now))
