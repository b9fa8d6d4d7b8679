"""Offers become arms; the margin floor rules some out."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from regulars.decide.offers import Arm, arms_on, keeps_margin_floor
from regulars.errors import InputError

DAY = date(2026, 3, 2)
COSTS = {"sms": Decimal("0.05"), "app": Decimal("0.01")}


def offer(**changes):
    return {"offer_id": "ten", "planned_cost": Decimal(1), "margin_floor": 0.05} | changes


def test_an_offer_without_channels_takes_every_channel_in_order():
    assert [arm.name for arm in arms_on([offer()], COSTS, day=DAY)] == ["ten:app", "ten:sms"]


@pytest.mark.parametrize(
    ("dates", "there"),
    [({"ends_on": date(2026, 3, 1)}, 0), ({"starts_on": DAY, "ends_on": DAY}, 2)],
    ids=["ended yesterday", "today only"],
)
def test_an_offer_is_made_only_on_its_days(dates, there):
    assert len(arms_on([offer(**dates)], COSTS, day=DAY)) == there


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"channels": "fax"}, "add \\[channels.fax\\]"),
        ({"planned_cost": Decimal(-1)}, "must cost something"),
    ],
    ids=["unknown channel", "costs nothing"],
)
def test_an_offer_that_cannot_be_made_says_what_to_mend(changes, hint):
    with pytest.raises(InputError, match=hint):
        arms_on([offer(**changes)], COSTS, day=DAY)


def test_money_off_is_judged_on_the_smallest_order_it_is_good_for():
    arm = Arm(
        "five", "sms", Decimal("0.05"), Decimal(1),
        discount_amount=5.0, min_order=50.0, margin_floor=0.1,
    )  # fmt: skip

    kept = keeps_margin_floor([arm], np.array([10.0, 100.0]), np.array([0.2, 0.16]))

    assert kept.tolist() == [[True], [True]]
    assert not keeps_margin_floor([arm], np.array([10.0]), np.array([0.19]))[0, 0]
