"""An experiment goes from draft to running to stopped to concluded, and is read only when it may."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.measure.kept_experiments import (
    GIVEN,
    NOW,
    SETTINGS,
    coupon,
    filled,
    open_shop,
    orders_of,
    put_rows,
    run_experiment,
    visits_of,
)

from regulars.app import open_app
from regulars.decide.assignment import OUTSIDE, assign
from regulars.decide.assignment.dealing.giving import Running, variants_of
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.audit.service import newest
from regulars.measure.experiments import adjusted, difference, moments, read_any_time, read_once
from regulars.measure.experiments.keeping.definition import definition_of
from regulars.measure.experiments.keeping.exposing import service as exposing
from regulars.measure.experiments.keeping.exposing.service import Exposing
from regulars.measure.experiments.keeping.planning import Baseline, plan_power
from regulars.measure.experiments.keeping.reading.service import (
    conclude,
    power_plan,
    show,
    start,
    take_look,
)
from regulars.measure.experiments.keeping.record import Decision, Stand
from regulars.measure.experiments.keeping.service import (
    changes_of,
    concluded,
    drop_draft,
    exposed_rows,
    find_experiment,
    list_kept,
    put_experiment,
    stop_experiment,
)
from regulars.numerics.hashing import keys_of

END = NOW + timedelta(days=29)  # the day after the last one
BASE = Baseline(0.1, 0.09, 0.0, 20_000, 500)


def shown(made, *, days=28.0):
    kept = find_experiment(made.app.state, made.definition.id)
    return show(made.shop, kept, now=NOW + timedelta(days=days))


def looked(made, *, days=29.0):
    return take_look(made.shop, made.definition.id, actor="test", now=NOW + timedelta(days=days))


def stopped(made, *, days=28):
    return stop_experiment(
        made.app.state,
        made.definition.id,
        reason="its days are over",
        actor="test",
        now=NOW + timedelta(days=days),
    )


def test_an_experiment_from_idea_to_learning(tmp_path):
    made = filled(tmp_path, lift=0.06)
    before = shown(made, days=27.9)
    after = looked(made)
    stopped(made)
    found = conclude(
        made.shop,
        "coupon",
        Decision.ADOPT,
        variant="coupon",
        says="A coupon brings six more in a hundred back.",
        actor="mei",
        now=END,
    )

    assert [one.gate for one in before.refusals] == ["too_early"]
    assert before.findings == ()
    [buyers] = [one for one in after.findings if one.metric == "buyers"]
    assert (buyers.low < 0.06 < buyers.high, buyers.is_claim) == (True, True)
    assert buyers.control_value == pytest.approx(0.2, abs=0.03)
    [learned] = concluded(made.app.state)
    assert learned.findings[0] == found.findings[0]
    assert (learned.experiment_id, learned.variant, learned.is_claim) == ("coupon", "coupon", True)
    assert find_experiment(made.app.state, "coupon").stand is Stand.CONCLUDED
    assert [one.verb for one in changes_of(made.app.state, "coupon")] == [
        "put", "start", "look", "stop", "conclude",
    ]  # fmt: skip
    assert [one.action for one in newest(made.app.state, size=5)] == [
        "experiment.conclude", "experiment.stop", "experiment.look", "experiment.start",
        "experiment.put",
    ]  # fmt: skip


def test_what_runs_is_locked_and_each_step_waits_for_the_one_before(tmp_path):
    app, shop = open_shop(tmp_path)
    put_experiment(app.state, coupon(), actor="mei", now=NOW)
    put_experiment(app.state, coupon(effect=0.1), actor="mei", now=NOW)
    with pytest.raises(NotAllowed, match="must be running to be stopped"):
        stop_experiment(app.state, "coupon", reason="no", actor="mei", now=NOW)
    with pytest.raises(NotAllowed, match="would not find what it looks for"):
        start(shop, "coupon", actor="mei", now=NOW)
    start(shop, "coupon", actor="mei", now=NOW, anyway="we want to learn how")

    with pytest.raises(NotAllowed, match="cannot be changed any more"):
        put_experiment(app.state, coupon(effect=0.2), actor="mei", now=NOW)
    with pytest.raises(NotAllowed, match="must be draft to be thrown away"):
        drop_draft(app.state, "coupon", actor="mei", now=NOW)
    with pytest.raises(NotAllowed, match="must be stopped to be concluded"):
        conclude(shop, "coupon", Decision.NOTHING_LEARNED, says="too small", actor="mei", now=NOW)
    assert find_experiment(app.state, "coupon").definition.effect == 0.1
    with pytest.raises(UnknownName, match="no experiment named 'cupon'"):
        find_experiment(app.state, "cupon")


def test_a_draft_is_thrown_away(tmp_path):
    app, _shop = open_shop(tmp_path)
    put_experiment(app.state, coupon(), actor="mei", now=NOW)
    drop_draft(app.state, "coupon", actor="mei", now=NOW)

    assert list_kept(app.state) == []


def test_experiments_of_one_layer_never_share_a_customer(tmp_path):
    app, shop = open_shop(tmp_path)
    for name, traffic in (("one", 0.5), ("two", 0.5), ("three", 0.2)):
        put_experiment(app.state, coupon(id=name, traffic=traffic), actor="mei", now=NOW)
    for name in ("one", "two"):
        start(shop, name, actor="mei", now=NOW, anyway="a test")
    with pytest.raises(NotAllowed, match="layer default has no room for 20%: one 50%, two 50%"):
        start(shop, "three", actor="mei", now=NOW, anyway="a test")
    stop_experiment(app.state, "one", reason="enough", actor="mei", now=NOW)
    third = start(shop, "three", actor="mei", now=NOW, anyway="a test")

    two = find_experiment(app.state, "two")
    keys = keys_of([f"c{n}" for n in range(3000)])
    sides = [
        assign(keys, one.definition.assignment(one.first, one.last), seed=7) != OUTSIDE
        for one in (two, third)
    ]
    assert not (sides[0] & sides[1]).any()
    assert sides[1].mean() == pytest.approx(0.2, abs=0.03)


def test_two_of_one_salt_do_not_run_together(tmp_path):
    app, shop = open_shop(tmp_path)
    for name in ("one", "two"):
        put_experiment(app.state, coupon(id=name, layer=name, salt="same"), actor="m", now=NOW)
    start(shop, "one", actor="m", now=NOW, anyway="a test")

    with pytest.raises(NotAllowed, match="would deal customers out alike"):
        start(shop, "two", actor="m", now=NOW, anyway="a test")


def test_one_customer_is_given_what_all_are_assigned():
    definition = coupon(
        variants=[{"name": n, "share": s} for n, s in (("a", 0.2), ("b", 0.5), ("c", 0.3))]
    )
    runs = Running("coupon", definition.assignment(0.1, 0.7), definition.variants)
    ids = [f"c{n}" for n in range(2000)]
    many = assign(keys_of(ids), runs.assignment, seed=7).tolist()

    single = []
    for one in ids:
        found = variants_of(one, [runs], seed=7, global_holdout=0.0)
        single.append("abc".index(found[0].variant.name) if found else OUTSIDE)
    assert single == many
    assert variants_of("c1", [runs], seed=7, global_holdout=1.0) == []


def test_variants_are_logged_once_and_no_more_after_the_stop(tmp_path):
    app, shop = open_shop(tmp_path)
    put_experiment(app.state, coupon(), actor="mei", now=NOW)
    gives = Exposing(app.state, seed=7, global_holdout=0.0)
    assert gives.given("c1", now=NOW) == []
    start(shop, "coupon", actor="mei", now=NOW, anyway="a test")
    later = NOW + timedelta(seconds=2)
    first = [gives.given(f"c{n}", now=later) for n in range(20)]
    again = [gives.given(f"c{n}", now=later + timedelta(days=1)) for n in range(20)]
    gives.flush()
    rows = exposed_rows(app.state, "coupon")
    stop_experiment(app.state, "coupon", reason="enough", actor="mei", now=later)
    gives.forget()
    late = gives.given("c99", now=later)
    gives.close()

    assert first == again
    assert late == []
    assert len(rows) == 20
    assert {row["at"] for row in rows} == {later.isoformat()}
    assert {row["customer_id"]: row["variant"] for row in rows} == {
        f"c{n}": found[0].variant.name for n, found in enumerate(first)
    }


def test_whoever_asks_for_the_log_does_not_wait_for_what_is_written_together(tmp_path, monkeypatch):
    """The pause lasts an hour here: flush and close cut it short."""
    monkeypatch.setattr(exposing, "PAUSE_SECONDS", 3600.0)
    (tmp_path / "regulars.toml").write_text(SETTINGS)
    app = open_app(tmp_path)
    run_experiment(app.state)
    gives = Exposing(app.state, seed=7, global_holdout=0.0)
    counts = []
    for n in range(3):
        gives.given(f"c{n}", now=NOW)
        asked = threading.Thread(target=gives.flush, daemon=True)
        asked.start()
        asked.join(timeout=60)
        counts.append(len(exposed_rows(app.state, "coupon")))
    gives.given("c3", now=NOW)
    gives.close()

    assert counts == [1, 2, 3]
    assert len(exposed_rows(app.state, "coupon")) == 4


def test_a_variant_given_while_it_was_being_stopped_is_not_counted(tmp_path):
    app, shop = open_shop(tmp_path)
    put_experiment(app.state, coupon(), actor="mei", now=NOW)
    start(shop, "coupon", actor="mei", now=NOW, anyway="a test")
    gives = Exposing(app.state, seed=7, global_holdout=0.0)
    gives.given("c1", now=NOW)
    gives.flush()
    stop_experiment(app.state, "coupon", reason="enough", actor="mei", now=NOW)
    assert gives.given("c2", now=NOW) != []  # this process has not looked again yet
    gives.close()

    assert [row["customer_id"] for row in exposed_rows(app.state, "coupon")] == ["c1"]


def test_a_planted_split_shows_no_effect_and_can_teach_nothing(tmp_path):
    made = filled(tmp_path, lift=0.1, lost=0.2)
    found = shown(made, days=29)
    stopped(made)

    assert [one.gate for one in found.refusals] == ["sample_ratio"]
    assert found.findings == ()
    assert found.srm_p < 1e-3
    with pytest.raises(NotAllowed, match="the split is control"):
        conclude(
            made.shop, "coupon", Decision.ADOPT, variant="coupon", says="x", actor="m", now=END
        )
    ended = conclude(
        made.shop, "coupon", Decision.NOTHING_LEARNED, says="the split broke", actor="m", now=END
    )
    assert (ended.findings, ended.variant) == ((), "")
    assert "drops or doubles customers" in ended.refusals[0].says


def test_a_planted_leak_shows_no_effect(tmp_path):
    made = filled(tmp_path, lift=0.1)
    control = [one for one, place in zip(made.ids, made.number, strict=True) if place == 0]
    put_rows(
        made.app,
        "contacts",
        {
            "key": ["k1", "k2", "k3"],
            "customer_id": [control[0], control[1], control[2]],
            "offer_id": ["off10", "news", "off10"],
            "at": [NOW + timedelta(days=3), NOW + timedelta(days=3), NOW - timedelta(days=3)],
            "fate": ["sent", "sent", "sent"],
        },
    )
    found = shown(made, days=29)

    assert [one.gate for one in found.refusals] == ["leakage"]
    assert "1 customers of control got the treatment" in found.refusals[0].says
    assert found.findings == ()


def test_reading_late_shows_what_its_last_day_showed(tmp_path):
    """The planted peek: reading day after day from the end on must not move the result."""
    made = filled(tmp_path, lift=0.02)
    at_end = looked(made)
    coupons = [one for one, place in zip(made.ids, made.number, strict=True) if place == 1]
    orders_of(made.app, coupons, (NOW + timedelta(days=40)).date(), name="later")

    assert shown(made, days=45).findings[0] == at_end.findings[0]


def test_read_once_is_read_after_its_last_day_and_then_never_moves(tmp_path):
    """The planted peek: orders of the last calendar day that come in after the moment it ends."""
    made = filled(tmp_path)
    coupons = [one for one, place in zip(made.ids, made.number, strict=True) if place == 1]
    last_day = (NOW + timedelta(days=28)).date()
    early = [shown(made), shown(made, days=28.5)]
    with pytest.raises(NotAllowed, match="no look at coupon is due"):
        looked(made, days=28.5)
    due = shown(made, days=29)
    first = looked(made)
    orders_of(made.app, coupons, last_day, name="late-import")
    after = shown(made, days=30)

    assert [[one.gate for one in found.refusals] for found in early] == [["too_early"]] * 2
    assert "its last day is not over" in early[0].refusals[0].says
    assert early[0].days_left == 1
    assert ([one.gate for one in due.refusals], due.findings, due.due) == (["not_read_yet"], (), 1)
    assert not first.findings[0].is_claim
    assert after.findings == first.findings
    assert dict(after.counts) == dict(first.counts)
    with pytest.raises(NotAllowed, match="no look at coupon is due"):
        looked(made, days=30)


def test_showing_takes_no_look_and_says_that_one_is_due(tmp_path):
    made = filled(
        tmp_path,
        lift=0.08,
        definition=coupon(inference="planned_looks", looks=2, effect=0.04),
    )
    found = shown(made, days=20)
    again = shown(made, days=21)

    assert (found.due, found.looks, found.findings) == (1, (), ())
    assert "look 1 of 2 is due" in found.refusals[0].says
    assert again.looks == ()
    assert "look" not in [one.verb for one in changes_of(made.app.state, "coupon")]


def test_a_variant_that_does_harm_or_nothing_is_not_adopted(tmp_path):
    harmful = filled(tmp_path / "harm", lift=-0.1)
    stopped(harmful)
    end = {"says": "x", "actor": "mei", "now": END}
    for anyway in ("", "we like it"):
        with pytest.raises(NotAllowed, match=r"buyers of coupon got worse by -0\.\d+"):
            conclude(harmful.shop, "coupon", Decision.ADOPT, variant="coupon", anyway=anyway, **end)
    kept = conclude(harmful.shop, "coupon", Decision.KEEP, **end)
    idle = filled(tmp_path / "idle")
    stopped(idle)
    with pytest.raises(NotAllowed, match="buyers of coupon is not told from that of control"):
        conclude(idle.shop, "coupon", Decision.ADOPT, variant="coupon", **end)
    adopted = conclude(
        idle.shop, "coupon", Decision.ADOPT, variant="coupon", anyway="it is cheaper", **end
    )

    assert (kept.variant, kept.is_claim) == ("control", True)
    assert (adopted.is_claim, adopted.anyway) == (False, "it is cheaper")
    assert [one.anyway for one in concluded(idle.app.state)] == ["it is cheaper"]


def test_a_draft_written_anew_since_it_was_seen_is_not_started(tmp_path):
    app, shop = open_shop(tmp_path)
    seen = put_experiment(app.state, coupon(), actor="mei", now=NOW)
    later = NOW + timedelta(seconds=1)
    put_experiment(app.state, coupon(effect=0.2), actor="lin", now=later)
    with pytest.raises(NotAllowed, match="lin wrote coupon anew"):
        start(shop, "coupon", actor="m", now=later, anyway="a test", seen_at=seen.edited_at)

    assert find_experiment(app.state, "coupon").stand is Stand.DRAFT


def test_planned_looks_are_taken_once_each_and_nothing_is_read_between(tmp_path):
    looks = coupon(inference="planned_looks", looks=2, effect=0.04)
    made = filled(tmp_path, lift=0.08, definition=looks)
    kept = find_experiment(made.app.state, "coupon")
    assert 0.5 <= len(made.ids) / kept.plan.customers < 1
    first = looked(made, days=20)
    coupons = [one for one, place in zip(made.ids, made.number, strict=True) if place == 1]
    orders_of(made.app, coupons, (NOW + timedelta(days=21)).date(), name="more")
    second = shown(made, days=22)

    assert first.refusals == ()
    assert [one.number for one in first.looks] == [1]
    assert (
        second.findings[0] == first.findings[0]
    )  # all of them bought since; it is not told before
    last = looked(made, days=28)
    assert [one.number for one in last.looks] == [1, 2]
    assert last.findings[0].effect > first.findings[0].effect + 0.5


def test_before_the_first_planned_look_nothing_is_told(tmp_path):
    looks = coupon(inference="planned_looks", looks=2, effect=0.02)
    found = shown(filled(tmp_path, lift=0.2, definition=looks), days=5)

    assert [one.gate for one in found.refusals] == ["too_early"]
    assert "the next look is at 50%" in found.refusals[0].says
    assert (found.findings, found.looks) == ((), ())


def test_any_time_is_read_on_any_day_and_its_interval_is_wider(tmp_path):
    once = looked(filled(tmp_path / "once", lift=0.06))
    watched = shown(
        filled(tmp_path / "any", lift=0.06, definition=coupon(inference="any_time")), days=20
    )

    wide, narrow = (found.findings[0].high - found.findings[0].low for found in (watched, once))
    assert watched.refusals == ()
    assert wide > 1.2 * narrow


def test_a_guardrail_that_got_worse_keeps_the_variant_out(tmp_path):
    made = filled(tmp_path, lift=0.06)
    coupons = [one for one, place in zip(made.ids, made.number, strict=True) if place == 1]
    put_rows(
        made.app,
        "returns",
        {
            "return_id": [f"r{one}" for one in coupons[::4]],
            "customer_id": coupons[::4],
            "product_id": ["p"] * len(coupons[::4]),
            "business_date": [(NOW + timedelta(days=9)).date()] * len(coupons[::4]),
            "refund": [Decimal(20)] * len(coupons[::4]),
        },
    )
    stopped(made)
    with pytest.raises(NotAllowed, match=r"refunds of coupon got worse by \+5"):
        conclude(
            made.shop, "coupon", Decision.ADOPT, variant="coupon", says="x", actor="m", now=END
        )
    ended = conclude(
        made.shop, "coupon", Decision.KEEP, says="they send it back", actor="m", now=END
    )

    assert ended.variant == "control"


def test_two_ids_of_one_customer_with_two_variants_are_left_out(tmp_path, monkeypatch):
    made = filled(tmp_path)
    sides = [
        next(one for one, place in zip(made.ids, made.number, strict=True) if place == side)
        for side in (0, 1)
    ]
    same = [one for one, place in zip(made.ids, made.number, strict=True) if place == 0][1:3]
    where = "regulars.measure.experiments.keeping.reading.service.aliases"
    monkeypatch.setattr(where, lambda _state: {sides[1]: sides[0], same[1]: same[0]})

    found = shown(made)
    assert found.left_out == 1
    assert sum(found.counts.values()) == len(made.ids) - 3


def test_the_plan_says_how_many_and_how_long_as_the_planner_does():
    alone = {"effect": 0.02, "guardrails": []}
    once = plan_power(coupon(**alone), BASE)
    any_time = plan_power(coupon(**alone, inference="any_time"), BASE)
    looks = plan_power(coupon(**alone, inference="planned_looks", looks=5), BASE)
    three = plan_power(coupon(**alone, variants=[{"name": n, "share": 1 / 3} for n in "abc"]), BASE)

    assert (once.customers, once.days, once.fits) == (7064, 21, True)
    assert 1.0 < looks.customers / once.customers < 1.06
    assert 1.5 < any_time.customers / once.customers < 2.5
    assert three.customers > 1.5 * once.customers
    short = plan_power(coupon(effect=0.01, guardrails=[]), BASE)
    assert not short.fits
    assert "run it 63 days" in short.says
    assert not plan_power(coupon(), Baseline(0.0, 0.0, 0.0, 0, 0.0)).fits


def test_an_experiment_as_large_as_planned_finds_its_effect_as_often_as_promised():
    """Known truth: shares .10 and .12; looked at once, 80 of 100 are found."""
    draw = np.random.default_rng(5)

    def found(inference, read):
        plan = plan_power(coupon(effect=0.02, inference=inference, guardrails=[]), BASE)
        half = plan.customers // 2
        p = draw.binomial(half, [[0.10], [0.12]], (2, 4000)) / half
        sides = [moments(half, side, side * (1 - side)) for side in p]
        return float((read(difference(*sides), plan) < 0.05).mean())

    once = found("once", lambda e, _plan: read_once(e).p_value)
    watched = found("any_time", lambda e, plan: read_any_time(e, tuned_at=plan.customers).p_value)
    assert once == pytest.approx(0.8, abs=0.04)  # .12 varies a little more than .10
    assert watched == pytest.approx(0.8, abs=0.05)


def test_a_guardrail_costs_the_effect_none_of_its_power():
    """Known truth as above, a guardrail nothing happens to, corrected for as the readout does."""
    plan = plan_power(coupon(effect=0.02), BASE)
    draw, half, times = np.random.default_rng(6), plan.customers // 2, 4000
    p = draw.binomial(half, [[0.10], [0.12]], (2, times)) / half
    effect = read_once(difference(*(moments(half, side, side * (1 - side)) for side in p))).p_value
    both = zip(effect.tolist(), draw.random(times).tolist(), strict=True)
    found = np.mean([adjusted(list(pair), "holm")[0] < 0.05 for pair in both])

    assert found == pytest.approx(0.8, abs=0.03)


def test_the_baseline_is_what_active_customers_did(tmp_path):
    app, shop = open_shop(tmp_path)
    active = [f"c{n}" for n in range(280)]
    visits_of(app, active, (NOW - timedelta(days=40)).date())
    visits_of(app, active[:140], (NOW - timedelta(days=6)).date())
    orders_of(app, active[:70], (NOW - timedelta(days=5)).date())
    plan = power_plan(shop, coupon(), now=NOW)
    held = power_plan(replace(shop, global_holdout=0.2), coupon(), now=NOW)

    assert (plan.value, plan.per_day, held.per_day) == (0.25, 5.0, 4.0)


def test_regulars_who_come_every_week_enter_once_however_long_it_runs(tmp_path):
    app, shop = open_shop(tmp_path)
    regulars = [f"c{n}" for n in range(100)]
    for week in range(17):
        visits_of(app, regulars, (NOW - timedelta(days=7 * week + 3)).date())
    orders_of(app, regulars[:50], (NOW - timedelta(days=5)).date())
    plans = [power_plan(shop, coupon(days=days), now=NOW) for days in (7, 84)]

    assert [plan.per_day * days for plan, days in zip(plans, (7, 84), strict=True)] == [
        pytest.approx(100), pytest.approx(100),
    ]  # fmt: skip
    assert [plan.days for plan in plans] == [None, None]
    assert "at most 100 ever come" in plans[1].says


def test_factors_become_variants_that_cover_every_pair():
    parts = {name: value for name, value in GIVEN.items() if name != "variants"}
    factors = {"subject": ["a", "b", "c"], "picture": ["x", "y", "z"], "button": ["1", "2", "3"]}
    found = definition_of(parts | {"factors": factors, "most_variants": 12})

    assert len(found.variants) == 10
    assert found.variants[0].values == {"subject": "a", "picture": "x", "button": "1"}
    assert found.variants[0].name == "a/x/1"
    assert definition_of(found.told()) == found


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"id": "Ünique id"}, "give small letters"),
        ({"hypothesis": " "}, "hypothesis of coupon has 1 characters"),
        ({"primary": "clicks"}, "no metric named 'clicks'; known: basket, buyers"),
        ({"guardrails": ["buyers"]}, "not the primary one"),
        ({"unit": "store"}, "for stores use a switchback"),
        ({"effect": 0}, "must be above 0"),
        ({"traffic": 1.5}, "traffic is 1.5"),
        ({"days": 0}, "days is 0, must be 1 to 366"),
        ({"level": 1.0}, r"both must be in \(0, 1\)"),
        ({"looks": 0}, "looks is 0"),
        ({"inference": "whenever"}, "Invalid enum value 'whenever'"),
        ({"colour": "red"}, "unknown name 'colour'; known: id, name"),
        ({"variants": [{"name": "a", "share": 1.0}]}, "two or more different names"),
        ({"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.6}]}, "sum to 1"),
        ({"factors": {"subject": ["a", "b"]}}, "give either variants or factors"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_is_wanted(changed, says):
    with pytest.raises(InputError, match=says):
        coupon(**changed)
