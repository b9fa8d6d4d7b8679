"""The loop in worlds whose truth is known: it earns where contacts work and stops where not."""

import tempfile
from pathlib import Path
from statistics import mean

import pytest

from regulars.rehearse.demo import DemoPlan, run_demo


def rehearsed(folder, world, *, customers, turns, seed):
    return run_demo(folder, DemoPlan(turns, customers, seed, world, "us", skip_real=True))


def earned(report, policy, last=4):
    """True incremental margin a turn over the last turns: the policy's less nobody's."""
    own, none = (report["policies"][p]["margin_by_turn"][-last:] for p in (policy, "nobody"))
    return mean(own) - mean(none)


def share_of_budget(report, turn):
    return report["turns"][turn]["spend"] / report["settings"]["weekly_budget"]


@pytest.fixture(name="normal", scope="module")
def where_contacts_work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("normal")
    return rehearsed(folder, "normal", customers=3_000, turns=6, seed=7)


@pytest.fixture(name="null", scope="module")
def where_contacts_do_nothing(tmp_path_factory):
    return rehearsed(tmp_path_factory.mktemp("null"), "null", customers=3_000, turns=6, seed=7)


@pytest.mark.parametrize("baseline", ["nobody", "everybody", "random", "rfm", "propensity"])
def test_the_loop_earns_more_than_every_baseline_that_knows_no_truth(normal, baseline):
    assert earned(normal, "loop") > earned(normal, baseline)


def test_nobody_can_beat_the_oracle(normal):
    best = max(earned(normal, name) for name in normal["policies"] if name != "oracle")

    assert earned(normal, "oracle") > best


def test_the_loop_stops_spending_where_contacts_do_nothing(null):
    assert share_of_budget(null, -1) <= 0.2
    assert not null["programme"]["claims"]


def test_the_truth_of_a_world_without_effects_is_zero(null):
    assert [turn["truth"] for turn in null["turns"]] == [0.0] * 6
    assert null["programme"]["truth"] == 0.0


def test_the_budget_is_never_exceeded(normal, null):
    assert max(share_of_budget(report, t) for report in (normal, null) for t in range(6)) <= 1.0


def covered(report):
    """Turns whose interval holds the truth, and turns with a readable interval."""
    read = [t for t in report["turns"] if t["effect"] and t["effect"]["status"] == "ok"]
    return sum(t["effect"]["low"] <= t["truth"] <= t["effect"]["high"] for t in read), len(read)


def prove(customers=20_000, turns=12):
    """Every world at full size; normal with five seeds."""
    said = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hits = reads = 0
        for seed in (1, 2, 3, 4, 5):
            report = rehearsed(
                folder / str(seed), "normal", customers=customers, turns=turns, seed=seed
            )
            hits, reads = (a + b for a, b in zip((hits, reads), covered(report), strict=True))
            said.append(_normal(report, seed))
        assert hits >= 0.85 * reads, f"{hits} of {reads} intervals cover the truth"
        said.append(f"{hits} of {reads} intervals cover the truth")
        for world, check in (("null", _null), ("hostile", _hostile), ("shift", _shift)):
            report = rehearsed(folder / world, world, customers=customers, turns=turns, seed=7)
            said.append(check(report))
    return "; ".join(said)


def _normal(report, seed):
    gains = {name: earned(report, name) for name in report["policies"]}
    loop, informed, oracle = gains["loop"], gains["informed"], gains["oracle"]
    others = [g for n, g in gains.items() if n not in {"loop", "informed", "oracle"}]
    assert loop > max(others), f"seed {seed}: {gains}"
    assert loop >= 0.6 * informed, f"seed {seed}: loop is {loop / informed:.2f} of informed"
    assert gains["propensity"] < 0.4 * informed < informed < 0.8 * oracle, f"seed {seed}: {gains}"
    programme = report["programme"]
    half = (programme["high"] - programme["low"]) / 2
    return (
        f"normal {seed}: loop {loop / informed:.2f} of informed, {loop / oracle:.2f} of oracle, "
        f"programme half-width {half / programme['truth']:.2f} of its truth"
    )


def _null(report):
    share = share_of_budget(report, -1)
    assert share <= 0.2, f"null: spends {share:.2f} of the budget"
    assert not report["programme"]["claims"]
    return f"null: ends spending {share:.2f} of the budget, claims nothing"


def _hostile(report):
    sent = [turn["sent"] / turn["eligible"] for turn in report["turns"]]
    outs = {
        name: sum(report["policies"][name]["opted_out_by_turn"]) for name in ("loop", "everybody")
    }
    assert mean(sent[-4:]) < mean(sent[:4]), f"hostile: contacts per customer {sent}"
    assert outs["loop"] <= 0.45 * outs["everybody"], f"hostile: opt-outs {outs}"
    fewer = 1 - outs["loop"] / outs["everybody"]
    return (
        f"hostile: contacts per customer {mean(sent[:4]):.2f} to {mean(sent[-4:]):.2f}, "
        f"opt-outs {fewer:.0%} below everybody"
    )


def _shift(report):
    """Within four turns of the change the loop is above every baseline again."""
    half = len(report["turns"]) // 2
    last = len(report["turns"]) - half - 3
    gains = {name: earned(report, name, last) for name in report["policies"]}
    others = [g for n, g in gains.items() if n not in {"loop", "informed", "oracle"}]
    assert gains["loop"] > max(others), f"shift: {gains}"
    return (
        f"shift: from the fourth turn after it {gains['loop'] / gains['informed']:.2f} of informed"
    )
