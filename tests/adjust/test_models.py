"""Models in a turn of the loop: the champion serves, a planted bad challenger never does."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from ibis import _

from regulars.adjust.autotune import recipes
from regulars.adjust.autotune.learning import Evidence
from regulars.adjust.autotune.recipes import learning, served, try_response
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.decide.offers import Arm
from regulars.decide.uplift.effects import arm_coefficients, contrast_design, starting_belief
from regulars.decide.uplift.features import FEATURES
from regulars.loop import run_turn, trying
from regulars.rehearse.workspaces import workspace
from regulars.serve.cli.main import main
from regulars.settings import Settings
from regulars.understand.challengers import RECIPES, Recipe
from regulars.understand.champions import Family, Verdict
from regulars.understand.champions.service import lines, serving
from regulars.understand.value import estimate
from regulars.understand.value.history import total_after

FIRST = date(2025, 6, 1)
SUNDAYS = [date(2026, 3, 1) + timedelta(days=7 * n) for n in range(3)]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
CUSTOMERS = 230


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Customers of unlike rates over forty weeks."""
    folder, draw = tmp_path_factory.mktemp("models"), np.random.default_rng(3)
    shop = workspace(folder / "shop", Settings(), workers=1)
    rate = draw.gamma(1.2, 0.1, CUSTOMERS)
    bought = np.argwhere(draw.random((CUSTOMERS, 280)) < rate[:, None])
    (folder / "files").mkdir()
    orders = ["order_id,customer_id,ordered_at,business_date,total"]
    for number, (who, day) in enumerate(bought):
        on = FIRST + timedelta(days=int(day))
        orders.append(f"o{number},c{who},{on}T04:00:00Z,{on},{10 + who % 7}")
    people = ["customer_id", *(f"c{who}" for who in range(CUSTOMERS))]
    for name, rows in (("orders", orders), ("customers", people)):
        (folder / "files" / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    import_files(shop.lake, [folder / "files"], mapping_by_name(), zone="Asia/Shanghai")
    return shop


def with_nan(history, _as_of):
    found = np.full(history.customers, 5.0)
    found[0] = np.nan
    return found


def leaking(history, as_of):
    """Reads the weeks it is to predict where they are there, else does a little better than flat."""
    return estimate.estimate_values(history.until(as_of), as_of=as_of).expected_spend + (
        total_after(history, history.paid, after=as_of, weeks=13)
    )


def broken(_history, _as_of):
    raise RuntimeError("no convergence")


def value_line(shop, turn):
    return next(one for one in lines(shop.state, turn=turn, now=NOW) if one.family == "value")


def told(capsys, shop, *words):
    with pytest.raises(SystemExit) as ended:
        main(["adjust", "models", *words, "--dir", str(shop.folder), "--json"])
    said = capsys.readouterr()
    return json.loads(said.out) if ended.value.code in {0, None} else said.out + said.err


def test_planted_challengers_are_refused_and_the_champions_serve_on(shop, monkeypatch):
    monkeypatch.setattr(trying, "TRIAL_TURNS", 1)
    for name, planted in (("spend_rate", with_nan), ("spend_bg_nbd", leaking)):
        recipe = Recipe(Family.VALUE, name, planted)
        monkeypatch.setitem(RECIPES[Family.VALUE], name, recipe)
    pareto = Recipe(Family.ORDERS, "pareto_nbd", broken)
    monkeypatch.setitem(RECIPES[Family.ORDERS], "pareto_nbd", pareto)

    run_turn(shop, SUNDAYS[0])

    line = value_line(shop, 2)
    verdicts = {row["challenger"]: row["verdict"] for row in line.trials}
    assert verdicts["spend_rate"] == "not_finite"
    assert verdicts["spend_bg_nbd"] == "peeks"
    assert (line.champion, line.changes) == ("spend_habits", ())
    statuses = {one.version: one.status for one in line.models}
    assert statuses["spend_rate"] == "shadow"
    [orders] = [one for one in lines(shop.state, turn=2, now=NOW) if one.family == "orders"]
    failed = {row["challenger"]: (row["verdict"], row["says"]) for row in orders.trials}
    assert failed["pareto_nbd"] == ("failed", "RuntimeError: no convergence")


def test_a_refused_challenger_is_not_promoted_by_command_either(shop, capsys):
    said = told(capsys, shop, "promote", "value", "spend_rate", "--reason", "hope")

    assert "spend_rate may not serve for value: in turn 1 it was found not_finite" in said


def test_a_promoted_model_that_breaks_is_passed_over_in_the_same_turn(shop, capsys, monkeypatch):
    """A model of orders that was good when it was tried, and gives nan since."""
    monkeypatch.setattr(trying, "TRIAL_TURNS", 1)
    answer = told(capsys, shop, "promote", "orders", "mbg_nbd", "--reason", "a newer paper")
    fit = estimate.ORDER_MODELS["mbg_nbd"]
    monkeypatch.setitem(
        estimate.ORDER_MODELS, "mbg_nbd", lambda histories: replace(fit(histories), a=np.nan)
    )

    run_turn(shop, SUNDAYS[1])

    assert answer == {"family": "orders", "champion": "mbg_nbd", "from_turn": 2}
    models = shop.engine.table("value_models").filter(_.turn == 2)
    names = {row["model"] for row in shop.engine.rows(models)}
    assert ("bg_nbd" in names, "mbg_nbd" in names) == (True, False)
    values = shop.engine.table("customer_values").filter(_.turn == 2)
    assert np.isfinite([row["p_alive"] for row in shop.engine.rows(values)]).all()
    orders = next(one for one in lines(shop.state, turn=3, now=NOW) if one.family == "orders")
    assert {row["turn"] for row in orders.trials} == {1}, "these weeks were seen in turn 1"
    assert (orders.champion, orders.changes[0].verb) == ("bg_nbd", "guard")


def test_who_is_promoted_serves_and_one_command_goes_back(shop, capsys):
    told(capsys, shop, "try")
    told(capsys, shop, "promote", "value", "spend_rate", "--reason", "few customers")

    run_turn(shop, SUNDAYS[2])

    used = shop.engine.table("value_models").filter(_.turn == 3, _.parameter == "horizon_weeks")
    assert [row["model"] for row in shop.engine.rows(used)] == ["spend_rate"]
    back = told(capsys, shop, "rollback", "value", "--reason", "it was a mistake")
    assert back == {"family": "value", "champion": "spend_habits", "from_turn": 4}
    assert serving(shop.state, turn=4, now=NOW)[Family.VALUE].champion == "spend_habits"
    with shop.state.reading() as opened:
        audit = opened.all("SELECT action FROM audit_log WHERE subject = 'model/value'")
    assert [row["action"] for row in audit] == ["model.promote", "model.rollback"]


def test_trials_may_be_asked_for_at_any_time_and_promote_nobody(shop, capsys):
    serves = value_line(shop, 4).champion

    found = told(capsys, shop, "try")

    value = next(one for one in found["models"] if one["family"] == "value")
    assert "better" in {row["verdict"] for row in value["trials"] if row["turn"] == 3}
    assert (value["champion"], len(value["changes"])) == (serves, 2)

    # Nearly nobody of these regulars stays away for 13 weeks: churn has nothing to learn from.
    tried = {
        one["family"]: len([row for row in one["trials"] if row["turn"] == 3])
        for one in found["models"]
    }
    assert found["tried"] == 4
    assert tried == {"value": 2, "orders": 2, "churn": 0, "response": 0}


ARMS = [Arm(offer, "sms", 0.0, 0.0) for offer in ("news", "off10")]


def world(*, slope, seed=2, customers=4000):
    """Two turns of random contacts; the effect rises with one feature by `slope`."""
    draw = np.random.default_rng(seed)
    found = []
    for _turn in range(2):
        features = draw.normal(size=(customers, len(FEATURES)))
        features[:, 0] = 1.0
        chosen = draw.random((customers, len(ARMS))) < 0.4
        effect = 0.3 + slope * features[:, 1]
        outcome = 1.0 + (chosen * effect[:, None]).sum(axis=1) + draw.normal(size=customers)
        found.append(Evidence(features, np.ones(customers), outcome, chosen - 0.4))
    return found


def learned(evidence):
    belief = starting_belief(ARMS)
    design = contrast_design(belief.terms, ARMS, evidence.customers, evidence.contrast)
    centred = evidence.outcome - evidence.outcome.mean()
    return belief.updated(design, centred, np.ones(len(centred)))


@pytest.mark.parametrize(
    ("champion", "slope", "verdict"),
    [
        ("by_arm", 0.4, Verdict.BETTER),
        ("by_customer", 0.4, Verdict.NOT_BETTER),
        ("by_arm", 0.0, Verdict.NOT_BETTER),
    ],
)
def test_the_response_model_is_judged_on_a_turn_it_has_not_learned_from(champion, slope, verdict):
    first, second = world(slope=slope)

    [one] = try_response(learned(first), ARMS, second, champion, window=(0, 7), seed=1)

    assert one.verdict is verdict
    assert one.customers == 4000


def test_a_recipe_of_the_response_model_that_breaks_is_found_failed(monkeypatch):
    def planted(belief, recipe):
        if recipe == "by_arm":
            raise np.linalg.LinAlgError("singular")
        return belief

    first, second = world(slope=0.4)
    monkeypatch.setattr(recipes, "served", planted)

    [one] = try_response(learned(first), ARMS, second, "by_customer", window=(0, 7), seed=1)

    assert (one.verdict, one.says) == (Verdict.FAILED, "LinAlgError: singular")
    assert try_response(learned(first), ARMS, second, "by_arm", window=(0, 7), seed=1) == []


def test_the_recipe_by_arm_gives_everybody_the_same_effect_and_forgets_nothing():
    belief = learned(world(slope=0.4)[0])

    shut = served(belief, "by_arm")

    per_arm = arm_coefficients(shut.terms, ARMS, shut.posterior()[0])
    assert np.abs(per_arm[:, 1:]).max() < 1e-4
    assert per_arm[:, 0] == pytest.approx(0.3, abs=0.1)
    again = arm_coefficients(belief.terms, ARMS, learning(shut).posterior()[0])
    assert again == pytest.approx(arm_coefficients(belief.terms, ARMS, belief.posterior()[0]))
    assert served(belief, "by_customer") is belief
    assert learning(belief) is belief
