"""Home tells what waits for a person and how the loop stands: by role, in both languages."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.measure.kept_experiments import GIVEN
from tests.serve.test_models_faces import tried_values

from regulars.adjust.alerts.laney_chart import Place
from regulars.adjust.alerts.service import ask_people
from regulars.adjust.alerts.watching import Alert, Gravity, Kind
from regulars.adjust.policies import service
from regulars.adjust.policies.service import roll_back_policy, stage_policy
from regulars.app import open_app
from regulars.decide.policies.rule import Rule
from regulars.measure.experiments.keeping.definition import definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.service import (
    put_experiment,
    start_experiment,
    stop_experiment,
)
from regulars.serve.console.words import WAITING
from regulars.understand.champions.service import keep_trials

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
BROKEN = Alert(
    1, "sms", Kind.DELIVERED, Gravity.BROKEN, Place(0.1, 0.98, 0.95, 1.0, -40.0), tried=300
)
PLAN = PowerPlan(800, {"control": 400, "coupon": 400}, 50.0, 16, 0.05, 0.1, True, "")

EXPERIMENTS = ("experiment_read", "experiment_end", "experiment_start")


def written(state, name, title, *, ends=None, **changed):
    """An experiment: a draft, or begun so that its 28 days end at a moment, or stopped."""
    one = definition_of(GIVEN | {"id": name, "name": title, "layer": name} | changed)
    kept = put_experiment(state, one, actor="mei", now=NOW)
    if ends:
        began = ends - timedelta(days=28)
        start_experiment(state, name, PLAN, actor="approver", now=began, seen_at=kept.edited_at)


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home") / "shop"
    make_shop.filled(folder)
    state = open_app(folder).state
    ask_people(state, [BROKEN], now=NOW)
    keep_trials(state, tried_values(), turn=2, now=NOW, is_automatic=False)
    written(state, "draft", "Red banner")
    written(state, "ripe", "Welcome coupon", ends=datetime(2026, 3, 1, tzinfo=UTC))
    written(state, "early", "Too early", ends=datetime(2100, 1, 1, tzinfo=UTC))
    written(state, "ended", "Free shipping", ends=datetime(2100, 1, 1, tzinfo=UTC))
    stop_experiment(state, "ended", reason="stock", actor="mei", now=NOW)
    with serve(folder) as running:
        client = running.client("marketer")
        sent = {"customer_id": "c001", "law": "cn", "csrf_token": running.csrf(client)}
        assert client.post("/requests/erase", data=sent).status_code == 303
        yield running


def waits(page):
    """What the first card lists: count, words, address and names."""
    card = page.split('aria-labelledby="waits"')[1].split("</section>")[0]
    found = re.findall(
        r'<span class="count[^"]*">(\d+)</span><div><a href="([^"]+)">([^<]+)</a>(.*?)</div>',
        card,
        re.S,
    )
    return {
        said: (int(count), address, re.sub(r"<[^>]+>|\s+", " ", rest).split())
        for count, address, said, rest in found
    }


def test_home_lists_what_an_approver_may_decide_with_names_and_links(shop):
    page = shop.client("admin").get("/?lang=en").text
    found = waits(page)

    assert found == {
        "Alerts about channels: leave one alone, or say that it was looked at": (
            1, "/learnings", ["SMS"]
        ),
        "Erasures that customers asked for: approve or refuse": (1, "/requests", ["No.", "1"]),
        "Models with a challenger that may be promoted": (
            1, "/models", ["What", "will", "customers", "spend?"]
        ),
        "Reviews of the budget that are due": (
            3, "/budget#reviews", ["monthly,", "quarterly,", "annual"]
        ),
        "Experiments that may be read now": (1, "/experiments/ripe", ["Welcome", "coupon"]),
        "Stopped experiments: say what was learned": (
            1, "/experiments/ended", ["Free", "shipping"]
        ),
        "Drafts of experiments: start or change them": (
            1, "/experiments/draft", ["Red", "banner"]
        ),
    }  # fmt: skip
    for _count, address, _names in found.values():
        assert shop.client("admin").get(address.partition("#")[0]).status_code == 200


@pytest.mark.parametrize(
    ("role", "left_out"),
    [
        ("viewer", {"alert", "erasure", "model", "policy", "review", *EXPERIMENTS}),
        ("analyst", {"alert", "erasure", "model", "policy", "review", *EXPERIMENTS}),
        ("marketer", {"erasure", "model", "policy", "experiment_start"}),
    ],
)
def test_what_only_others_may_decide_is_left_out(shop, role, left_out):
    seen = set(waits(shop.client(role).get("/?lang=en").text))
    all_of_them = set(waits(shop.client("admin").get("/?lang=en").text))

    assert seen == all_of_them - {WAITING[kind] for kind in left_out}


def test_the_loop_says_how_far_it_came_and_when_it_is_due_in_both_languages(shop):
    client = shop.client("viewer")
    english, chinese = (
        client
        .get(f"/?lang={lang}")
        .text.split('aria-labelledby="stands"')[1]
        .split("</section>")[0]
        for lang in ("en", "zh-CN")
    )

    assert "due since 2026-03-09" in english
    assert "10 of 60 customers" in english
    assert "自 2026-03-09 起可以运行" in chinese
    assert not re.search(r"[A-Za-z]{4,}", re.sub(r"<[^>]+>|regulars run", "", chinese))


def test_a_shop_where_nothing_waits_says_so(empty_server):
    page = empty_server.client("viewer").get("/?lang=en").text

    assert "Nothing waits for you." in page
    assert 'class="waits"' not in page


@pytest.fixture
def no_evaluation(monkeypatch):
    """Reading the log of decisions for a policy fails."""

    def refuse(*_given, **_named):
        raise AssertionError("the log of decisions was evaluated")

    for name in ("judged", "_rows", "_after", "logged_for", "judge", "after_canary"):
        monkeypatch.setattr(service, name, refuse)


@pytest.mark.usefixtures("no_evaluation")
def test_home_tells_policies_on_their_way_and_asks_no_evaluation(make_shop, serve, tmp_path):
    make_shop.filled(tmp_path / "shop")
    state = open_app(tmp_path / "shop").state
    for minute, name in enumerate(("calm", "bold", "gone")):
        moment = NOW + timedelta(minutes=minute)
        stage_policy(state, Rule(name), share=0.2, actor="mei", now=moment)
    roll_back_policy(state, "gone", reason="x", actor="mei", now=NOW)
    with serve(tmp_path / "shop") as running:
        english, chinese = (
            waits(running.client("admin").get(f"/?lang={lang}").text) for lang in ("en", "zh-CN")
        )
        marketer = waits(running.client("marketer").get("/?lang=en").text)

    said = {
        count: " ".join(words)
        for count, address, words in english.values()
        if address == "/policies"
    }
    assert said == {
        2: "bold (watches only since 2026-03-02 10:01), calm (watches only since 2026-03-02 10:00)"
    }
    assert any("仅旁观" in " ".join(words) for _count, _address, words in chinese.values())
    assert "/policies" not in {address for _count, address, _words in marketer.values()}
