"""Online decisions: drawn as logged, the same when asked again, and blind where they must be."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.assignment import held_out
from regulars.decide.offers import Arm
from regulars.decide.online import Traits, decide_online, deciding
from regulars.decide.online.knowledge import knowledge_of
from regulars.decide.policies.economics import Tuned
from regulars.decide.uplift.effects import starting_belief
from regulars.decide.uplift.features import FEATURES
from regulars.numerics.hashing import key_of, keys_of, mixed, uniforms
from regulars.settings import Loop

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
OPEN = {"sms": "", "app": ""}
ARMS = [
    Arm("news", "app", Decimal("0.01"), Decimal("0.10")),
    Arm("news", "sms", Decimal("0.05"), Decimal("0.10")),
    Arm("ten", "sms", Decimal("0.05"), Decimal("1.20"), 0.1, margin_floor=0.1),
]
NUMBERS = (
    "weekly_orders", "gap_mean_days", "basket_size", "discount_share", "coupon_share",
    "recency_days", "trend_30d", "engaged_share", "contacts_28d", "private_label_share",
)  # fmt: skip


def people(size=400, seed=1):
    draw = np.random.default_rng(seed)
    return pa.table(
        {"customer_id": [f"c{n:05d}" for n in range(size)]}
        | {name: draw.gamma(2, 1, size) for name in NUMBERS}
        | {"basket_size": draw.gamma(4, 20, size), "margin_rate": draw.uniform(0.2, 0.4, size)}
        | {"age_group": ["35-44"] * size, "income_group": ["50-74K"] * size}
        | {"residual_value": draw.gamma(2, 50, size)}
    )


def known(price=0.0, arms=ARMS, table=None, **loop):
    return knowledge_of(
        people() if table is None else table,
        arms,
        starting_belief(arms),
        Tuned(),
        turn=3,
        day=date(2026, 3, 2),
        shadow_price=price,
        loop=Loop(**loop),
    )


def ask(knowledge, customer="c00007", request="r1", **changed):
    given_ = {"refusals": OPEN, "now": NOW} | changed
    return decide_online(
        knowledge,
        given_.pop("traits", knowledge.customers.find(customer)),
        customer_id=customer,
        request_id=request,
        **given_,
    )


def test_the_same_request_gets_the_same_bytes_and_others_are_drawn_afresh():
    knowledge = known()

    found = [ask(knowledge).encoded() for _time in range(2)]

    assert found[0] == found[1]
    assert (
        len({(d.offer_id, d.channel) for n in range(60) for d in [ask(knowledge, request=f"r{n}")]})
        > 1
    )


def test_a_request_asked_again_and_answered_otherwise_is_another_decision():
    knowledge = known()

    found = [
        ask(knowledge),
        ask(knowledge, offers={"news"}),
        ask(knowledge, refusals={"sms": "no_consent", "app": ""}),
        ask(knowledge, is_plain=True),
        ask(known(price=0.7)),
    ]

    assert len({one.decision_id for one in found}) == len(found)
    assert ask(knowledge, offers={"news", "ten"}).decision_id == found[0].decision_id


def test_what_happens_happens_as_often_as_was_logged():
    knowledge, size = known(global_holdout=0.0, exploration_floor=0.1), 6_000
    traits = knowledge.customers.find("c00007")

    found = [ask(knowledge, f"x{n}", f"r{n}", traits=traits) for n in range(size)]

    seen = Counter(f"{d.offer_id}:{d.channel}" for d in found if d.verdict == "send")
    for name, (_value, chance, *_told) in found[0].candidates.items():
        expected = chance * 0.9
        assert seen[name] / size == pytest.approx(expected, abs=4 * (expected / size) ** 0.5)
    sends = [d for d in found if d.verdict == "send"]
    assert all(
        d.propensity == pytest.approx(d.candidates[f"{d.offer_id}:{d.channel}"][1] * 0.9, abs=1e-6)
        for d in sends
    )
    assert {round(d.propensity, 9) for d in found if d.verdict != "send"} == {
        round(1 - found[0].send_propensity, 9)
    }


def test_holdouts_are_those_of_the_turn():
    knowledge, ids = (
        known(global_holdout=0.2, campaign_holdout=0.3),
        [f"c{n:05d}" for n in range(400)],
    )

    found = [ask(knowledge, one) for one in ids]

    everyone = held_out(keys_of(ids), seed=7, purpose="global", share=0.2)
    assert [d.reason == "global_holdout" for d in found] == everyone.tolist()
    for decision in found:
        if decision.campaign_id and decision.reason != "global_holdout":
            key = keys_of([decision.customer_id])
            is_held = held_out(key, seed=7, purpose=decision.campaign_id, share=0.3)[0]
            assert (decision.verdict == "holdout") == is_held
    assert {d.verdict for d in found} >= {"send", "holdout"}
    assert all(d.cost == 0 for d in found if d.verdict != "send")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64 - 1), st.text(max_size=20))
def test_one_draw_is_the_draw_of_many(key, purpose):
    assert mixed(key, key_of(7, purpose)) == uniforms(np.array([key], np.uint64), 7, purpose)[0]


traits_ = st.builds(
    Traits,
    st.lists(st.floats(-2.5, 2.5), min_size=len(FEATURES), max_size=len(FEATURES)).map(np.array),
    *[st.floats(0.01, 5_000)] * 3,
    st.floats(0, 5),
    st.integers(0, 2),
)


@settings(max_examples=25, deadline=None)
@given(traits_, traits_, st.integers(0, 500))
def test_with_profiling_off_nothing_known_of_the_customer_changes_the_answer(one, other, number):
    knowledge = known(price=0.2)
    request = f"r{number}"

    found = [
        ask(knowledge, request=request, traits=traits, is_plain=True).encoded()
        for traits in (one, other, None)
    ]

    assert found[0] == found[1] == found[2]
    assert b'"features":{}' in found[0]
    assert b"/plain" in found[0]


def test_a_policy_that_peeks_is_caught(monkeypatch):
    knowledge = known()
    honest = deciding._draw

    def peeking(knowledge, _seen, *rest):
        return honest(knowledge, one, *rest)

    monkeypatch.setattr(deciding, "_draw", peeking)
    answers = set()
    for basket in (1.0, 500.0):
        one = Traits(np.full(len(FEATURES), basket / 250 - 1), basket, 0.3, basket * 0.3, 1.0, 0)
        answers.add(ask(knowledge, traits=one, is_plain=True).encoded())

    assert len(answers) == 2


def test_whom_the_turn_did_not_know_is_decided_on_as_the_middle_of_all():
    found = ask(known(), "nobody yet")

    assert found.model_version.endswith("/plain")
    assert (found.verdict in {"send", "abstain", "holdout"}, found.features) == (True, {})


def test_what_is_closed_is_told_by_reason_and_never_chosen():
    knowledge = known()
    refusals = {"sms": "no_consent", "app": "", "offer/ten": "stock"}

    found = [ask(knowledge, request=f"r{n}", refusals=refusals) for n in range(50)]

    assert {d.channel for d in found} <= {"app", None}
    assert found[0].ruled_out == {"no_consent": ["news:sms", "ten:sms"]}
    shut = ask(knowledge, refusals={"sms": "frequency_cap"})
    assert (shut.verdict, shut.candidates) == ("skip", {})
    assert ask(knowledge, offers={"ten"}).ruled_out["not_asked"] == ["news:app", "news:sms"]
    assert ask(known(arms=[]), "c00007").reason == "no_offer"


def test_a_dearer_turn_sends_less():
    turns = [known(price=price) for price in (0.0, 500.0)]

    sends = [sum(ask(turn, f"c{n:05d}").verdict == "send" for n in range(300)) for turn in turns]

    assert sends[1] < 0.6 * sends[0]


def test_traits_are_found_again_for_everybody_and_nobody_else():
    table = people(300)
    knowledge = known(table=table)

    for row, name in enumerate(table["customer_id"].to_pylist()):
        assert knowledge.customers.find(name).basket == pytest.approx(
            table["basket_size"][row].as_py(), rel=1e-6
        )
    assert knowledge.customers.find("stranger") is None
