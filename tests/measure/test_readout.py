"""The readout shows effects, or says why it must not."""

import numpy as np
import pytest

from regulars.errors import InputError
from regulars.measure.experiments import (
    Correction,
    Gate,
    Inference,
    Kind,
    Metric,
    Plan,
    Progress,
    read_out,
)
from regulars.measure.experiments.gates.checks import sample_ratio_gate

DESIGN = {"control": 0.5, "treated": 0.5}
SPEND = Metric("spend", "spend", before="spend_before")
EVERYTHING = [
    SPEND,
    Metric("buyers", "bought", Kind.PROPORTION),
    Metric("per order", "spend", Kind.RATIO, over="orders"),
    Metric("median", "spend", Kind.QUANTILE, is_guardrail=True),
]


def shop(customers=4000, effect=0.0, seed=1):
    rng = np.random.default_rng(seed)
    before = rng.gamma(2.0, 2.0, customers)
    on = np.arange(customers) % 2 == 1
    rng.shuffle(on)
    spend = before + rng.exponential(1.0, customers) + effect * on
    return {
        "variant": np.where(on, "treated", "control").tolist(),
        "spend": spend.tolist(),
        "spend_before": before.tolist(),
        "orders": (1 + rng.poisson(2, customers)).tolist(),
        "bought": (rng.random(customers) < 0.3).tolist(),
    }


def gates(readout):
    assert readout.is_refused == (not readout.findings)
    return {refusal.gate for refusal in readout.refusals}


def test_a_sound_split_looked_at_daily_closes_the_gate_no_more_than_stated():
    """The planted mistake: a test made for one look, asked sixty times."""
    rng = np.random.default_rng(2)
    watched, fixed = 0, 0
    for _ in range(1500):
        split = np.cumsum(rng.multinomial(500, [0.5, 0.5], 60), axis=0)
        looks = [{"control": int(a), "treated": int(b)} for a, b in split[::6]]
        watched += any(sample_ratio_gate(c, DESIGN, alpha=0.01, watched_over=10_000) for c in looks)
        fixed += any(sample_ratio_gate(c, DESIGN, alpha=0.01) for c in looks)

    assert watched / 1500 <= 0.01
    assert fixed / 1500 > 0.02


def test_a_sound_experiment_shows_every_metric_and_claims_what_there_is():
    readout = read_out(shop(effect=0.5), Plan(DESIGN, EVERYTHING, tuned_at=4000))
    by_metric = {finding.metric: finding for finding in readout.findings}

    assert gates(readout) == set()
    assert by_metric["spend"].is_claim
    assert by_metric["spend"].low < 0.5 < by_metric["spend"].high
    assert not by_metric["buyers"].is_claim
    assert by_metric["median"].is_guardrail


def test_the_covariate_narrows_the_interval():
    plain = read_out(shop(), Plan(DESIGN, [Metric("spend", "spend")])).findings[0]
    adjusted = read_out(shop(), Plan(DESIGN, [SPEND])).findings[0]

    assert adjusted.high - adjusted.low < (plain.high - plain.low) / 2


def test_strata_narrow_the_interval_and_keep_an_uneven_split_within_them_from_misleading():
    """Loyal customers spend ten times as much, and by bad luck more of them were treated."""
    rng = np.random.default_rng(1)
    loyal = np.repeat([True, False], [1000, 3000])
    on = rng.random(4000) < np.where(loyal, 0.56, 0.48)
    data = {
        "variant": np.where(on, "treated", "control").tolist(),
        "segment": np.where(loyal, "loyal", "new").tolist(),
        "spend": (np.where(loyal, 100.0, 10.0) + rng.normal(0, 3, 4000) + 0.5 * on).tolist(),
    }
    metrics = [Metric("spend", "spend")]

    [plain] = read_out(data, Plan(DESIGN, metrics, Inference.ONCE), Progress(14)).findings
    plan = Plan(DESIGN, metrics, Inference.ONCE, strata="segment")
    [found] = read_out(data, plan, Progress(14)).findings

    assert found.low < 0.5 < found.high
    assert plain.low > 0.5
    assert found.high - found.low < (plain.high - plain.low) / 5


def test_customers_lost_from_one_variant_close_the_readout():
    data = shop(effect=0.5)
    lost = [n for n, v in enumerate(data["variant"]) if v == "control" or n % 7]
    data = {name: [column[n] for n in lost] for name, column in data.items()}

    assert Gate.SAMPLE_RATIO in gates(read_out(data, Plan(DESIGN, [SPEND])))


def test_a_fixed_experiment_is_not_shown_before_its_end_nor_after_somebody_peeked():
    plan = Plan(DESIGN, [SPEND], Inference.ONCE, days=14)

    assert gates(read_out(shop(), plan, Progress(days_run=9))) == {Gate.TOO_EARLY}
    assert gates(read_out(shop(), plan, Progress(14, times_read=3))) == {Gate.ALREADY_READ}
    assert gates(read_out(shop(), plan, Progress(14))) == set()


def test_an_always_valid_experiment_may_be_looked_at_every_day():
    assert gates(read_out(shop(), Plan(DESIGN, [SPEND]), Progress(2, times_read=9))) == set()


def test_treated_customers_in_the_holdout_close_the_readout():
    leaked = Progress(exposed={"treated": 1990, "control": 3})

    assert gates(read_out(shop(), Plan(DESIGN, [SPEND]), leaked)) == {Gate.LEAKAGE}


def test_variants_that_differed_before_close_the_readout():
    data = shop()
    data["spend_before"] = [
        past + 0.5 * (variant == "treated")
        for past, variant in zip(data["spend_before"], data["variant"], strict=True)
    ]

    assert gates(read_out(data, Plan(DESIGN, [SPEND]))) == {Gate.DIFFERENT_BEFORE}


def test_a_handful_of_customers_is_not_read():
    assert Gate.TOO_FEW in gates(read_out(shop(40), Plan(DESIGN, [SPEND])))


def test_sound_experiments_are_hardly_ever_refused_and_claim_no_more_than_the_level():
    refused, claimed = 0, 0
    plan = Plan(DESIGN, EVERYTHING, Inference.ONCE, correction=Correction.HOLM)
    for seed in range(200):
        readout = read_out(shop(600, seed=seed), plan, Progress(days_run=14))
        refused += readout.is_refused
        claimed += any(finding.is_claim for finding in readout.findings)

    assert refused <= 3
    assert claimed / 200 <= 0.09


@pytest.mark.parametrize(
    ("data", "plan", "hint"),
    [
        ({"variant": ["a"]}, Plan(DESIGN, [SPEND]), "no column 'spend'"),
        (shop() | {"variant": ["other"] * 4000}, Plan(DESIGN, [SPEND]), "not in the plan"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(data, plan, hint):
    with pytest.raises(InputError, match=hint):
        read_out(data, plan)


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Plan({"a": 1.0}, [SPEND]), "two variants or more"),
        (lambda: Plan(DESIGN, [SPEND], Inference.PLANNED_LOOKS), "looks is empty"),
        (lambda: Metric("m", "x", Kind.RATIO), "names its denominator"),
        (lambda: Metric("m", "x", Kind.QUANTILE, before="y"), "leave `before` empty"),
    ],
)
def test_a_contradictory_definition_is_refused(make, hint):
    with pytest.raises(InputError, match=hint):
        make()


def test_what_cannot_be_stratified_is_refused():
    with pytest.raises(InputError, match="leave out relative and quantile"):
        Plan(DESIGN, [SPEND], relative=True, strata="segment")
    with pytest.raises(InputError, match="no column 'segment'"):
        read_out(shop(100), Plan(DESIGN, [SPEND], strata="segment"))
