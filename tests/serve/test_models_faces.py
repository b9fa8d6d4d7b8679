"""Models over HTTP and on the page: what serves, who was tried, promote and go back by role."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest

from regulars.app import open_app
from regulars.numerics.paired_bootstrap import paired_bootstrap
from regulars.understand.champions import Family, Standing, Trial, Verdict
from regulars.understand.champions.service import keep_trials

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def tried_values():
    """Two challengers of the model of spend: one better, one that failed."""
    gap = paired_bootstrap(np.full(500, 1.0), np.full(500, 1.5), level=0.95, seed=1)
    return [
        Trial(
            Family.VALUE, "spend_habits", name, verdict, 500, 20_000, 20_091,
            Standing(*(1.0, 1.02) if not says else (np.nan, np.nan)), Standing(1.5, 0.97), gap if verdict is Verdict.BETTER else None, says,
        )
        for name, verdict, says in (
            ("spend_rate", Verdict.BETTER, ""), ("spend_bg_nbd", Verdict.FAILED, "ZeroDivisionError"),
        )
    ]  # fmt: skip


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "shop"
    make_shop.filled(folder)
    keep_trials(open_app(folder).state, tried_values(), turn=2, now=NOW, is_automatic=True)
    with serve(folder) as running:
        yield running


def post(server, role, verb, body, *, status=200):
    client = server.client(role)
    path = f"/api/adjust/models/value/{verb}"
    answer = client.post(path, json=body, headers={"x-csrf-token": server.csrf(client)})
    assert answer.status_code == status, answer.text
    return answer.json()


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_the_page_tells_what_serves_against_whom_and_who_changed_it(server):
    page = text_of(server.client("viewer").get("/models", headers={"accept-language": "en"}))

    assert "rate so far serves since turn 3." in page
    assert "habits served before 1.500 0.97 500" in page
    assert "failed" in page
    assert "ZeroDivisionError" in page
    assert "Promote it" not in page


def test_an_approver_goes_back_and_promotes_and_nobody_below_may(server):
    why = {"reason": "it was a mistake"}
    post(server, "marketer", "rollback", why, status=403)

    back = post(server, "approver", "rollback", why)
    again = post(server, "approver", "promote", why | {"version": "spend_rate"})

    assert back == {"family": "value", "champion": "spend_habits", "from_turn": 3}
    assert again == {"family": "value", "champion": "spend_rate", "from_turn": 3}
    [value] = [
        one for one in server.client("viewer").get("/api/adjust/models").json()["models"]
        if one["family"] == "value"
    ]  # fmt: skip
    assert [one["verb"] for one in value["changes"]] == ["promote", "rollback", "promote"]
    assert value["changes"][0]["actor"] == "approver"


def test_a_recipe_that_failed_is_refused_on_the_page_with_the_reason(server):
    client = server.client("approver")
    form = {"version": "spend_bg_nbd", "reason": "hope", "csrf_token": server.csrf(client)}

    page = client.post("/models/value", data=form, headers={"accept-language": "en"})

    assert page.status_code == 400
    assert "it was found failed (ZeroDivisionError)" in text_of(page)
