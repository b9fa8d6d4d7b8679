"""How near the loop comes to who knows the truth, and what it does when a channel breaks."""

import json
import tempfile
from pathlib import Path
from statistics import mean

import pytest

from regulars.rehearse.baselines.fixed_split import FIT_TURNS, play_fixed_split
from regulars.rehearse.baselines.policies import watched_history
from regulars.rehearse.demo import DemoPlan, run_demo
from regulars.rehearse.twin_run import run_in_twin
from regulars.twin import Plan, Twin

LAST = 8
BROKEN_AT = 15
GOAL, LEAST = 0.9, 0.6
SLOPE_GOAL = 0.1
SPLIT_GOAL, SPLIT_LEAST = 1.28, 0.8


def share_of(policies, other="informed", last=LAST):
    """True incremental margin of the loop over that of another policy, last turns."""
    none = policies["nobody"]["margin_by_turn"][-last:]
    gain = {
        name: mean(policies[name]["margin_by_turn"][-last:]) - mean(none)
        for name in ("loop", other)
    }
    return gain["loop"] / gain[other]


def over_split(policies, first=FIT_TURNS):
    """Return per yuan of the loop over that of the best fixed split, once the split is held."""
    none = sum(policies["nobody"]["margin_by_turn"][first:])
    per_yuan = {
        name: (sum(policies[name]["margin_by_turn"][first:]) - none)
        / sum(policies[name]["spend_by_turn"][first:])
        for name in ("loop", "fixed_split")
    }
    return per_yuan["loop"] / per_yuan["fixed_split"]


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
    assert share_of(policies([90.0] * 2 + [19.0] * 8)) == pytest.approx(0.9)
    assert share_of(policies([10.0] * 10)) == 0.0


def test_the_split_is_compared_by_what_a_yuan_brought_after_the_turns_it_was_fitted_on():
    found = policies([90.0] * 8 + [16.0] * 2)
    found["loop"]["spend_by_turn"] = [5.0] * 8 + [2.0] * 2
    found["fixed_split"] = {
        "margin_by_turn": [10.0] * 8 + [14.0] * 2, "spend_by_turn": [1.0] * 8 + [2.0] * 2,
    }  # fmt: skip

    assert over_split(found) == pytest.approx(1.5)


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


def prove(customers=8_000, turns=26, seeds=(1, 2, 3, 4, 5), folder=None):
    """Five seeds against the informed policy, the shift world against a fixed split, an outage.

    In a folder that is given, what is finished stays and is not run again.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(folder or name)
        said = [
            _kept(place, f"seed-{seed}", lambda at, seed=seed: _normal(at, seed, customers, turns))
            for seed in seeds
        ]
        said.append(_kept(place, "shift", lambda at: _shift(at, seeds[0], customers, turns)))
        said.append(_kept(place, "outage", lambda at: _outage(at, customers)))
    return f"{customers} customers, {turns} turns; " + "; ".join(said)


def _kept(place, name, run):
    """What a part said; run only where it did not say anything yet."""
    kept = place / f"{name}.said.json"
    if not kept.is_file():
        said = run(place / name)
        kept.write_text(json.dumps(said), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def _against(is_met):
    return "" if is_met else " (short of the goal)"


def _normal(place, seed, customers, turns):
    plan = DemoPlan(turns, customers, seed, "normal", "us", skip_real=True)
    report = run_demo(place, plan)
    share, found = share_of(report["policies"]), slope(report["predictions"])
    assert share >= LEAST, f"seed {seed}: the loop earns {share:.2f} of informed"
    return (
        f"seed {seed}: {share:.2f} of informed{_against(share >= GOAL)}, "
        f"{share_of(report['policies'], 'oracle'):.2f} of oracle, "
        f"slope {found:.2f}{_against(abs(found - 1) <= SLOPE_GOAL)}"
    )


def _shift(place, seed, customers, turns):
    plan = DemoPlan(turns, customers, seed, "shift", "us", skip_real=True)
    found = run_demo(place, plan)["policies"]
    twin = Twin.begin(Plan(customers, seed, "shift", "us", turns=turns))
    split = play_fixed_split(
        twin, watched_history(twin), budget=twin.suggested_budget(), turns=turns
    )
    over = over_split(found | {"fixed_split": split.to_report()})
    assert over >= SPLIT_LEAST, f"a yuan brings {over:.2f} times what a fixed split makes of it"
    return (
        f"shift: a yuan brings {over:.2f} times what the best fixed split makes of it"
        f"{_against(over >= SPLIT_GOAL)}, {share_of(found):.2f} of informed"
    )


def _outage(place, customers):
    broken = Plan(customers, 7, "outage", turns=2 * (BROKEN_AT - 1))
    engine = run_in_twin(place, broken).app.engine
    alerts, holds = (engine.rows(engine.table(name)) for name in ("alerts", "channel_holds"))
    late = turns_to_hold(alerts, holds)
    assert late is not None, "the broken channel was never left alone"
    assert late <= 2, f"held {late} turns after it broke"
    at_once = [sum(row["turn"] == turn for row in holds) for turn in range(1, broken.turns + 1)]
    assert max(at_once) <= 1, f"channels held at once: {at_once}"
    return f"a channel broken in turn {BROKEN_AT} is left alone {late} turns later"
