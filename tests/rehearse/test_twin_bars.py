"""How near the loop comes to who knows the truth, and what it does when a channel breaks."""

import tempfile
from pathlib import Path
from statistics import mean

import pytest

from regulars.rehearse.demo import DemoPlan, run_demo
from regulars.rehearse.twin_run import run_in_twin
from regulars.twin import Plan

LAST = 8
BROKEN_AT = 15
GOAL, LEAST = 0.9, 0.6


def share_of_informed(policies, last=LAST):
    """True incremental margin of the loop over that of the informed policy, last turns."""
    none = policies["nobody"]["margin_by_turn"][-last:]
    gain = {
        name: mean(policies[name]["margin_by_turn"][-last:]) - mean(none)
        for name in ("loop", "informed")
    }
    return gain["loop"] / gain["informed"]


def slope(predictions):
    """Slope of measured on predicted margin over turns, surer turns counting more."""
    rows = [p for p in predictions if p["campaign_id"] == "*" and p["measured"] is not None]
    weight = [(p["high"] - p["low"]) ** -2 for p in rows]
    pairs = list(zip(weight, rows, strict=True))
    both = sum(w * p["predicted"] * p["measured"] for w, p in pairs)
    return both / sum(w * p["predicted"] ** 2 for w, p in pairs)


def turns_to_hold(alerts, holds, *, broken_at=BROKEN_AT):
    """Turns from the break of a channel to the first turn that leaves it alone; None for never."""
    broken = {
        row["channel"]
        for row in alerts
        if row["gravity"] == "broken" and row["measured_turn"] >= broken_at
    }
    held = [row["turn"] for row in holds if row["channel"] in broken and row["turn"] > broken_at]
    return min(held) - broken_at if held else None


def policies(loop):
    lists = {"nobody": [10.0] * 10, "informed": [10.0] * 2 + [20.0] * 8, "loop": loop}
    return {name: {"margin_by_turn": values} for name, values in lists.items()}


def test_the_share_of_the_informed_policy_counts_the_last_turns_only():
    assert share_of_informed(policies([90.0] * 2 + [19.0] * 8)) == pytest.approx(0.9)
    assert share_of_informed(policies([10.0] * 10)) == 0.0


def test_a_prediction_twice_too_high_has_a_slope_of_a_half():
    row = {"campaign_id": "*", "low": 40.0, "high": 60.0, "predicted": 100.0, "measured": 50.0}
    other = row | {"campaign_id": "news-001", "measured": 900.0}

    assert slope([row, other, row | {"measured": None}]) == pytest.approx(0.5)


def test_a_channel_held_too_late_or_for_another_reason_is_told_apart():
    alert = {"channel": "sms", "gravity": "broken", "measured_turn": 15}
    hold = {"channel": "sms", "turn": 16}

    assert turns_to_hold([alert], [hold]) == 1
    assert turns_to_hold([alert], [hold | {"turn": 19}]) == 4
    assert turns_to_hold([alert], [hold | {"channel": "email"}]) is None
    assert turns_to_hold([alert | {"gravity": "worse"}], [hold]) is None


def prove(customers=8_000, turns=26, seeds=(1, 2, 3, 4, 5)):
    """Five seeds of 26 turns against the informed policy, and a channel that breaks in turn 15."""
    said = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in seeds:
            plan = DemoPlan(turns, customers, seed, "normal", "us", skip_real=True)
            report = run_demo(folder / str(seed), plan)
            share, found = share_of_informed(report["policies"]), slope(report["predictions"])
            assert share >= LEAST, f"seed {seed}: the loop earns {share:.2f} of informed"
            said.append(f"seed {seed}: {share:.2f} of informed (goal {GOAL}), slope {found:.2f}")
        broken = Plan(customers, 7, "outage", turns=2 * (BROKEN_AT - 1))
        engine = run_in_twin(folder / "outage", broken).app.engine
        alerts, holds = (engine.rows(engine.table(name)) for name in ("alerts", "channel_holds"))
        late = turns_to_hold(alerts, holds)
        assert late is not None, "the broken channel was never left alone"
        assert late <= 2, f"held {late} turns after it broke"
        at_once = [sum(row["turn"] == turn for row in holds) for turn in range(1, broken.turns + 1)]
        assert max(at_once) <= 1, f"channels held at once: {at_once}"
        said.append(f"a channel broken in turn {BROKEN_AT} is left alone {late} turns later")
    return f"{customers} customers, {turns} turns; " + "; ".join(said)
