"""Experiments and effects: on the command line, over HTTP and on their pages."""

import json
import re

import pytest
from tests.serve.conftest import put
from tests.serve.experiment_rows import ASSIGNED, MEASURED

from regulars.app import open_app
from regulars.serve.cli.main import main


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments") / "shop"
    make_shop.filled(folder)
    app = open_app(folder)
    put(app, "campaign_assignments", ASSIGNED)
    put(app, "campaign_effects", MEASURED, turn=2)
    with serve(folder) as running:
        running.folder = folder
        yield running


def told(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert ended.value.code in {0, None}
    return json.loads(capsys.readouterr().out)


def get(server, path):
    answer = server.client("viewer").get(path, headers={"accept-language": "en"})
    assert answer.status_code == 200, answer.text
    return answer


def section(page, name):
    [part] = re.findall(
        rf'<section class="card" aria-labelledby="{name}">(.*?)</section>', page, re.S
    )
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("looks=1000000000", "looks is 1000000000, must be 1 to 100"),
        ("looks=101", "looks is 101, must be 1 to 100"),
        ("looks=0", "looks is 0, must be 1 to 100"),
        ("looks=1.5", "looks is 1.5; give a whole number, 1 to 100"),
        ("looks=5&power=1", "power 0.01 at level 0.95 cannot be planned with 5 looks"),
    ],
)
def test_looks_nobody_can_take_are_refused_with_what_is_wanted(server, asked, says):
    path = f"/experiments?{asked}"
    answer = server.client("viewer").get(path, headers={"accept-language": "en"})

    assert answer.status_code == 400
    assert says in answer.text


def test_every_comparison_is_listed_with_its_state_its_arms_and_its_gate(server):
    found = {one["name"]: one for one in get(server, "/api/measure/experiments").json()}

    assert {name: (one["kind"], one["state"], one["gate"]) for name, one in found.items()} == {
        "programme": ("programme", "running", "ok"),
        "just-begun": ("campaign", "running", "waiting"),
        "journey/welcome": ("journey", "ended", "ok"),
        "broken-split": ("campaign", "ended", "srm"),
        "nobody-out": ("campaign", "ended", "nobody_held_out"),
        "tea-weeks": ("campaign", "ended", "ok"),
        "1": ("turn", "ended", "ok"),
    }
    assert [arm["customers"] for arm in found["just-begun"]["arms"]] == [48, 12]
    assert found["tea-weeks"]["claims"]
    assert found["tea-weeks"]["findings"][0]["estimate"] == 640.0


def test_a_closed_gate_lets_no_figure_out_by_any_way(server, capsys):
    """The planted split: 640 was measured and must be nowhere."""
    spoken = told(capsys, "measure", "experiments", "--dir", str(server.folder))["experiments"]
    for listed in (spoken, get(server, "/api/measure/experiments").json()):
        [broken] = [one for one in listed if one["name"] == "broken-split"]
        assert {one["estimate"] for one in broken["findings"]} == {None}
        assert {one["low"] for one in broken["findings"]} == {None}
    row = next(
        line for line in get(server, "/experiments").text.split("<tr>") if "broken-split" in line
    )

    assert "the split is not as designed" in row
    assert "640" not in row
    refused = section(get(server, "/effects").text, "refused")
    assert "2.4e-13" in refused
    assert "drops or doubles customers" in refused
    assert "Hold some out next time" in refused
    assert "640" not in refused


def test_the_page_of_effects_shows_money_with_intervals_and_whether_promises_came_true(server):
    page = get(server, "/effects").text

    caused = section(page, "caused")
    assert "+¥640.00" in caused
    assert "+¥140.00 to +¥1,140" in caused
    assert "+¥627.50" in caused
    assert "in 1 of 1" in section(page, "came")
    assert "Still waiting for a first outcome window: 1." in section(page, "refused")


def test_the_planner_says_what_the_command_line_and_http_say(server, capsys):
    asked = {"effect": 0.01, "variance": 0.09, "share": 0.9, "per_day": 500}
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    words = [f"--{name.replace('_', '-')}={value}" for name, value in asked.items()]

    found = get(server, f"/api/measure/power?{query}").json()

    assert told(capsys, "measure", "power", *words) == found
    assert found["customers"] == found["treated"] + found["control"]
    plan = section(get(server, "/experiments").text, "plan")
    assert f"{found['treated']:,} contacted and {found['control']:,} held out" in plan
    assert f"in {found['days']} days" in plan


def test_the_planner_says_what_is_wrong_with_a_number(server):
    answer = server.client("viewer").get("/experiments?effect=0")

    assert answer.status_code == 400
    assert "effect must not be 0" in answer.text


def test_an_empty_shop_says_what_comes_first(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "new")
    with serve(tmp_path / "new") as new:
        assert "No experiment yet." in get(new, "/experiments").text
        page = get(new, "/effects").text
        assert "Nothing may be read yet" in page
        assert "every gate is open" in page


def test_a_file_without_a_plan_says_what_to_give(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["measure", "experiments", str(tmp_path / "x.csv"), "--json"])

    assert "--plan" in capsys.readouterr().out
