"""Home tells what waits for a person and how the loop stands: by role, in both languages."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.measure.kept_experiments import GIVEN
from tests.serve.test_models_faces import tried_values
from tests.serve.test_policies_on_their_way import decided

from regulars.adjust.alerts.laney_chart import Place
from regulars.adjust.alerts.service import ask_people
from regulars.adjust.alerts.watching import Alert, Gravity, Kind
from regulars.adjust.policies.service import ready, roll_back_policy, stage_policy
from regulars.app import open_app
from regulars.decide.policies.rule import Rule
from regulars.measure.experiments.keeping.definition import definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.service import (
    put_experiment,
    start_experiment,
    stop_experiment,
)
from regulars.understand.champions.service import keep_trials

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
BROKEN = Alert(
    1, "sms", Kind.DELIVERED, Gravity.BROKEN, Place(0.1, 0.98, 0.95, 1.0, -40.0), tried=300
)
PLAN = PowerPlan(800, {"control": 400, "coupon": 400}, 50.0, 16, 0.05, 0.1, True, "")


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


def test_what_only_others_may_decide_is_left_out(shop):
    seen = waits(shop.client("viewer").get("/?lang=en").text)

    assert not any(word in said for said in seen for word in ("Erasures", "Drafts", "Reviews"))
    assert any(said.startswith("Alerts") for said in seen)


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


def test_a_policy_waits_once_the_log_says_it_is_better_and_not_while_another_is_a_canary(tmp_path):
    (tmp_path / "regulars.toml").write_text(
        '[retailer]\nname = "S"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\nlocale = "en"\n', "utf-8"
    )
    app = open_app(tmp_path, workers=1)
    later = datetime(2026, 3, 30, 2, tzinfo=UTC)
    stage_policy(app.state, Rule("greedy"), share=0.2, actor="mei", now=later)
    before = ready(app.engine, app.state, app.settings.loop, now=later)
    decided(app, gain=8)
    after = ready(app.engine, app.state, app.settings.loop, now=later)
    roll_back_policy(app.state, "greedy", reason="x", actor="mei", now=later)
    gone = ready(app.engine, app.state, app.settings.loop, now=later)

    assert (before, [one.rule.name for one in after], gone) == ([], ["greedy"], [])
