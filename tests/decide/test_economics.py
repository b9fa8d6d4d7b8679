"""What a contact is worth, and what it costs beyond its price."""

from decimal import Decimal

import numpy as np
import pytest

from regulars.decide.offers import Arm
from regulars.decide.policies.economics import Tuned, customer_basket, economics

ARM = Arm("news", "sms", Decimal("0.05"), Decimal("0.20"))


def priced(tuned=None, *, value=(100.0, 100.0), contacts=(0.0, 0.0)):
    return economics(
        [ARM],
        tuned or Tuned(),
        worth=np.array([10.0, 10.0]),
        residual_value=np.array(value),
        contacts=np.array(contacts),
        effects=np.array([[0.1], [0.1]]),
    )


def test_the_value_is_margin_caused_less_what_the_contact_costs():
    money = priced(Tuned(opt_out={"sms.0": 0.0}))

    assert money.values(np.array([[0.1], [-0.1]])).ravel() == pytest.approx([0.95, -1.05])


def test_what_is_pulled_forward_is_taken_off():
    money = priced(Tuned(after_effect=-0.5, opt_out={"sms.0": 0.0}))

    assert money.values(np.array([[0.1], [0.1]]))[0, 0] == pytest.approx(0.45)


def test_losing_touch_costs_more_with_a_customer_of_whom_more_is_expected():
    price = priced(value=(300.0, 100.0)).fatigue_price.ravel()

    assert price[0] == pytest.approx(3 * price[1])


def test_a_customer_contacted_often_is_priced_by_how_often_such_customers_opt_out():
    tuned = Tuned(opt_out={"sms.0": 0.001, "sms.2": 0.02})

    price = priced(tuned, contacts=(0.0, 5.0)).fatigue_price.ravel()

    assert price[1] == pytest.approx(20 * price[0])


def test_a_customer_without_orders_gets_the_middle_basket():
    basket, worth = customer_basket(np.array([20.0, np.nan, 40.0]), np.full(3, 0.25))

    assert basket.tolist() == [20.0, 30.0, 40.0]
    assert worth[1] == 7.5
