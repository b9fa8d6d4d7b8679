from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
import pytest

from regulars.errors import InputError, NotReady
from regulars.understand.value.models.gamma_gamma import GammaGamma, fit_gamma_gamma


@pytest.fixture(scope="module")
def cdnow():
    folder = Path(lifetimes.__file__).parent / "datasets"
    return pd.read_csv(folder / "cdnow_customers_summary_with_transactions.csv")


def test_cdnow_gives_the_published_parameters(cdnow):
    found = fit_gamma_gamma(cdnow.x, cdnow.zbar)

    # Fader & Hardie (2013): 6.25, 3.74, 15.44; lifetimes rounds the file: see test_cdnow.py
    assert found.customers == 946
    assert found.p == pytest.approx(6.25, abs=5e-3)
    assert found.q == pytest.approx(3.74, abs=5e-3)
    assert found.gamma == pytest.approx(15.44, abs=1e-2)
    assert found.log_likelihood == pytest.approx(-4055.92, abs=0.01)


def test_weights_stand_for_customers(cdnow):
    some = cdnow[cdnow.x > 0].iloc[:200]
    weights = np.arange(200) % 3 + 1.0
    repeated = some.loc[some.index.repeat(weights.astype(int))]

    weighted = fit_gamma_gamma(some.x, some.zbar, weights=weights)
    each = fit_gamma_gamma(repeated.x, repeated.zbar)

    assert weighted.p == pytest.approx(each.p, rel=1e-4)
    assert weighted.gamma == pytest.approx(each.gamma, rel=1e-4)
    assert weighted.log_likelihood == pytest.approx(each.log_likelihood, rel=1e-8)


def test_a_simulated_cohort_gives_back_its_parameters():
    draw = np.random.default_rng(2)
    customers = 40_000
    x = draw.integers(1, 12, customers).astype(float)
    scale = draw.gamma(4.0, 1 / 20.0, customers)
    mean_spend = draw.gamma(5.0 * x, 1 / scale) / x

    found = fit_gamma_gamma(x, mean_spend)

    # p and gamma lie on a ridge of the likelihood; their product and q do not
    assert found.p * found.gamma == pytest.approx(100.0, rel=0.03)
    assert found.q == pytest.approx(4.0, rel=0.03)
    assert found.p * found.gamma / (found.q - 1) == pytest.approx(100 / 3, rel=0.01)


def test_money_in_cents_gives_the_same_shape(cdnow):
    euros, cents = fit_gamma_gamma(cdnow.x, cdnow.zbar), fit_gamma_gamma(cdnow.x, cdnow.zbar * 100)

    assert cents.p == pytest.approx(euros.p, rel=1e-4)
    assert cents.gamma == pytest.approx(euros.gamma * 100, rel=1e-4)


def test_the_more_orders_the_nearer_to_the_own_mean():
    fitted = GammaGamma(6.25, 3.74, 15.44, 0.0, 1)
    x = np.array([0.0, 1.0, 5.0, 500.0])

    expected = fitted.expected_spend(x, np.full(4, 80.0))

    assert expected[0] == pytest.approx(6.25 * 15.44 / 2.74)
    assert (np.diff(expected) > 0).all()
    assert expected[-1] == pytest.approx(80.0, rel=0.01)


def test_what_cannot_be_fitted_says_so():
    with pytest.raises(NotReady, match="10"):
        fit_gamma_gamma(np.zeros(30), np.zeros(30))
    with pytest.raises(InputError, match="one of each per customer"):
        fit_gamma_gamma(np.ones(3), np.ones(2))
