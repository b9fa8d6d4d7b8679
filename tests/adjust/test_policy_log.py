"""What of the log of online decisions a challenger is judged by, and what a canary is."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pytest

from regulars.adjust.policies.rewards import logged_for
from regulars.adjust.policies.tables import drawn, meant
from regulars.decide.policies.rule import Rule
from regulars.measure.off_policy import judge

NOW = datetime(2026, 3, 30, 2, tzinfo=UTC)
BOTH = json.dumps({"news:app": [1.0, 0.4], "off10:app": [2.0, 0.4]})


def planted(*, turns=2, customers=3000, money=0.8, seed=1):
    """Decisions without any effect: sends, abstentions and holdouts, money for a share of them."""
    draw, found = np.random.default_rng(seed), []
    for turn in range(1, turns + 1):
        for number in range(customers):
            u, is_held = draw.random(), draw.random() < 0.1
            offer = "news" if u < 0.4 else "off10" if u < 0.8 else None
            reason = "exploration" if offer is None else "chosen"
            if offer and is_held:
                reason = "campaign_holdout"
            elif offer and number >= money * customers:
                reason = "budget"
            is_sent = reason in {"chosen", "budget"}
            found.append({
                "decision_id": f"{turn}-{number:05}", "customer_id": f"c{number:05}",
                "at": NOW + timedelta(days=turn, seconds=number), "turn": turn,
                "reason": reason, "offer_id": offer, "channel": "app" if offer else None,
                "verdict": {"chosen": "send", "budget": "skip", "campaign_holdout": "holdout"}.get(
                    reason, "abstain"
                ),
                "propensity": 0.36 if is_sent else 0.28, "send_propensity": 0.72,
                "candidates": BOTH, "features": json.dumps({"basket": float(number % 7)}),
                "cost": Decimal("0.10") if reason == "chosen" else Decimal(0),
                "reward": 5.0 * (number % 7) + draw.normal(0, 1),
            })  # fmt: skip
    return found


def kept(keeping, rows):
    return keeping(ibis.memtable(rows)).order_by("decision_id").execute().to_dict("records")


def test_after_money_ran_out_nothing_of_the_turn_is_asked_and_the_weights_average_one():
    rows = kept(drawn, planted())
    found = judge(logged_for(rows, Rule("greedy"), floor=0.1, seed=7))
    without_sends = [one for one in planted(money=0.5) if one["reason"] != "budget"]
    wrong = judge(logged_for(without_sends, Rule("greedy"), floor=0.1, seed=7))

    assert {one["reason"] for one in rows} == {"chosen", "campaign_holdout", "exploration"}
    assert 4790 <= len(rows) <= 4830, "both turns, up to the first send that was not paid for"
    assert all(int(one["decision_id"][2:]) < 2430 for one in rows)
    assert found.refusals == ()
    assert found.gain.low < 0 < found.gain.high
    assert wrong.codes == ("weights_off",), "abstentions left in without the sends beside them"


def test_a_turn_closed_before_the_draw_goes_on_and_only_the_first_decision_of_it_counts():
    first, second, closed, later = (planted(customers=1, money=1)[0] for _ in range(4))
    second |= {"decision_id": "1-2", "at": second["at"] + timedelta(hours=1)}
    closed |= {"decision_id": "1-3", "customer_id": "c9", "reason": "budget", "offer_id": None}
    later |= {"decision_id": "2-1", "turn": 2, "at": later["at"] + timedelta(days=1)}

    rows = kept(drawn, [first, second, closed, later])

    assert [one["decision_id"] for one in rows] == ["1-00000", "2-1"]


def test_a_canary_counts_whoever_was_met_whatever_became_of_it_but_the_global_holdout():
    reasons = ("budget", "stock", "frequency_cap", "exploration", "campaign_holdout", "chosen")
    rows = []
    for number, reason in enumerate((*reasons, "global_holdout")):
        row = planted(customers=1)[0]
        rows.append(row | {"decision_id": f"d{number}", "customer_id": reason, "reason": reason})
    again = rows[0] | {"decision_id": "e", "reason": "chosen", "cost": Decimal("0.30")}
    again["at"] += timedelta(hours=1)
    before = rows[5] | {"decision_id": "f", "at": NOW - timedelta(days=1)}
    rows[0]["cost"] = Decimal(0)

    found = kept(lambda made: meant(made, since=NOW), [*rows, again, before])

    assert [one["reason"] for one in found] == list(reasons)
    assert found[0]["cost"] == Decimal("0.30"), "what was sent to the customer later in the turn"


def test_the_doubly_robust_value_uses_the_features_the_policy_saw():
    log = logged_for(kept(drawn, planted()), Rule("greedy"), floor=0.1, seed=7)
    values = judge(log).values
    sharp, plain = values["doubly_robust"], values["importance_sampling"]

    assert sharp.standard_error < 0.8 * plain.standard_error
    assert values["direct"].value == pytest.approx(log.reward.mean(), abs=0.2)
