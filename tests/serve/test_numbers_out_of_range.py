"""Numbers and days nobody can mean get an answer that says so, by every face."""

import math

import pytest

from regulars.errors import InputError
from regulars.measure.experiments import size_experiment
from regulars.serve.cli.main import main

HUGE = 10**22
POWER = "/api/measure/power?variance=1"
FROM_TO = "must be from 1900-01-01 to 2999-12-31"
TOO_MANY = "more customers than can be counted"
OVER_HTTP = [
    (f"/api/adjust/review/{HUGE}", "less than or equal"),
    (f"/api/adjust/review/-{HUGE}", "greater than or equal"),
    (f"/api/adjust/alerts?turns={HUGE}", "less than or equal"),
    (f"/api/adjust/log?turn={HUGE}", "less than or equal"),
    (f"{POWER}&effect=nan", "effect is nan; give a number"),
    (f"{POWER}&effect=inf", "finite number"),
    (f"{POWER}&effect=1e-300", TOO_MANY),
    (f"{POWER}&effect=1e-7", TOO_MANY),
    (f"{POWER}&effect=1&per_day=1e-300", "more days than can be counted"),
    ("/api/measure/power?variance=inf&effect=1", "variance must be"),
    ("/api/measure/scorecard?until=0001-01-01", FROM_TO),
    ("/api/measure/scorecard?until=0001-01-05&days=1", FROM_TO),
    ("/api/measure/scorecard/basket/rows?until=0001-01-01", FROM_TO),
]
IN_THE_SHELL = [
    (("power", "--effect", "nan", "--variance", "1"), "effect is nan; give a number"),
    (("power", "--effect", "1e-300", "--variance", "1"), TOO_MANY),
    (("scorecard", "--until", "0001-01-05", "--dir"), FROM_TO),
    (("scorecard", "--until", "9999-12-31", "--dir"), FROM_TO),
    (("review", str(HUGE), "--dir"), "2147483647"),
    (("alerts", "--turns", str(HUGE), "--dir"), "2147483647"),
]


@pytest.mark.parametrize(("path", "says"), OVER_HTTP)
def test_over_http(server, path, says):
    answer = server.client("approver").get(path)

    assert 400 <= answer.status_code < 500, answer.text
    assert says in answer.text


def test_a_turn_no_store_can_hold_is_refused_for_the_plan(server):
    client = server.client("approver")
    asked = {"why": "x", "of_turn": HUGE}
    headers = {"x-csrf-token": server.csrf(client)}
    answer = client.put("/api/decide/plan/followed", json=asked, headers=headers)

    assert 400 <= answer.status_code < 500, answer.text
    assert "less than or equal" in answer.text


@pytest.mark.parametrize(("words", "says"), IN_THE_SHELL)
def test_in_the_shell(server, capsys, words, says):
    station = "adjust" if words[0] in {"review", "alerts"} else "measure"
    folder = [str(server.folder)] if words[-1] == "--dir" else []
    with pytest.raises(SystemExit) as ended:
        main([station, *words, *folder])
    said = capsys.readouterr().err

    assert ended.value.code not in {0, None}
    assert says in " ".join(said.split())
    assert "Traceback" not in said


def test_no_number_in_a_path_or_query_breaks_the_server(server):
    client = server.client("approver")
    asked = []
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        numbers = [
            one for one in methods.get("get", {}).get("parameters", ()) if "integer" in str(one)
        ]
        for one in numbers:
            where = path.replace(f"{{{one['name']}}}", str(HUGE))
            query = {one["name"]: HUGE} if one["in"] == "query" else {}
            asked.append((where, client.get(where, params=query).status_code))

    assert len(asked) > 20
    assert [one for one in asked if one[1] >= 500] == []


@pytest.mark.parametrize("effect", [math.nan, math.inf, 0.0, 1e-300, -1e-300, 1e-7])
def test_no_size_is_given_for_an_effect_that_cannot_be_found(effect):
    with pytest.raises(InputError):
        size_experiment(effect, 1.0)


def test_an_effect_so_large_that_its_square_cannot_be_written_needs_few():
    assert size_experiment(1e200, 1.0).customers == 0
