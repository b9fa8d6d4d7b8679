"""`regulars collect plan`, as a person runs it."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import arrow_schema
from regulars.app import open_app
from regulars.collect.ingest.batch import EventBatch
from regulars.collect.quality.plan import read_plan, starting_plan
from regulars.collect.quality.plan.service import QualityFollower, adopted_plan
from regulars.govern.audit.service import verify
from regulars.records import TABLES
from regulars.serve.cli.main import main

OWN = '[event."Tasted"]\nmeans = "tasted"\nfamily = "trial"\n[event."Tasted".property]\nscore = { type = "integer", most = 5 }\n'


@pytest.fixture
def run(tmp_path, capsys):
    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    assert call("init", tmp_path / "shop")[0] == 0
    return call


@pytest.fixture
def shop(tmp_path, run):
    """A workspace in which two kinds of events came, one of them unheard of."""
    app = open_app(tmp_path / "shop")
    rows = [
        {"source": "web", "message_id": f"{name}{i}", "type": "track", "event": name, "anonymous_id": "d",
         "payload": json.dumps({"type": "track", "event": name, "properties": {"order_id": "o", "colour": "red"}}),
         "received_at": datetime(2026, 11, 2, tzinfo=UTC)}
        for name in ("Order Completed", "Mood Told") for i in range(30)
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=arrow_schema(TABLES["events"]))
    QualityFollower(app.state).follow(EventBatch(0, 1, table))
    return tmp_path / "shop"


def told(result):
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def test_the_packaged_plan_is_adopted_as_files_a_person_can_edit(run, shop):
    made = told(run("collect", "plan", "adopt", "--starting", "--dir", shop, "--json"))

    assert made["version"] == 1
    assert read_plan(shop / "plan") == starting_plan() == adopted_plan(open_app(shop).state).plan
    assert verify(open_app(shop).state, folder=shop).intact
    again = told(run("collect", "plan", "adopt", "--starting", "--dir", shop, "--json"))
    assert again == made


def test_a_file_is_added_and_a_different_one_of_the_same_name_is_refused(run, shop, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(OWN)
    first = told(run("collect", "plan", "adopt", own, "--dir", shop, "--json"))
    own.write_text(OWN.replace("5", "9"))

    code, _, err = run("collect", "plan", "adopt", own, "--dir", shop)

    assert first == {"version": 1, "digest": first["digest"], "events": 1}
    assert code == 2
    assert "differs" in err


def test_without_a_plan_adopting_says_what_to_run(run, shop):
    code, _, err = run("collect", "plan", "adopt", "--dir", shop)

    assert code == 4
    assert "adopt --starting" in err


def test_files_of_events_are_checked_and_the_code_says_so(run, shop, tmp_path):
    lines = tmp_path / "events.ndjson"
    good = {"type": "track", "event": "Coupon Expired", "properties": {"coupon_id": "c"}}
    lines.write_text("\n".join(json.dumps(e) for e in (good, good | {"properties": {}})))

    code, out, _ = run("collect", "plan", "check", lines, "--dir", shop, "--json")
    lines.write_text(json.dumps(good))

    assert code == 1
    [fault] = json.loads(out)
    assert (fault["line"], fault["path"], fault["rule"]) == (2, "properties.coupon_id", "required")
    assert run("collect", "plan", "check", lines, "--dir", shop)[0] == 0


def test_a_file_that_holds_no_events_is_refused_with_its_line(run, shop, tmp_path):
    lines = tmp_path / "events.ndjson"
    lines.write_text("{}\n[1]\n")

    code, _, err = run("collect", "plan", "check", lines, "--dir", shop)

    assert code == 2
    assert "line 2" in err


def test_without_files_check_tells_what_came(run, shop):
    found = told(run("collect", "plan", "check", "--dir", shop, "--json"))

    assert [(f["label"], f["path"], f["seen"]) for f in found] == [
        ("Order Completed", "properties.products", 30)
    ]


def test_coverage_suggest_and_diff_tell_of_the_event_nobody_declared(run, shop, tmp_path):
    found = told(run("collect", "plan", "coverage", "--dir", shop, "--json"))
    code, _, _ = run("collect", "plan", "suggest", "--dir", shop, "--out", tmp_path / "new.toml")
    suggested = read_plan(tmp_path / "new.toml")
    changes = told(run("collect", "plan", "diff", "--observed", "--dir", shop, "--json"))

    assert found["undeclared"] == ["Mood Told"]
    assert found["share_of_events"] == 0.5
    assert found["share_of_behaviours"] >= 0.9
    assert code == 0
    assert list(suggested.event) == ["Mood Told"]
    assert suggested.event["Mood Told"].property["colour"].required
    assert ("added", "Mood Told") in {(c["change"], c["event"]) for c in changes}
    assert ("added", "Order Completed", "colour") in {
        (c["change"], c["event"], c["path"]) for c in changes
    }


def test_a_suggestion_can_be_adopted_and_is_then_declared(run, shop, tmp_path):
    run("collect", "plan", "adopt", "--starting", "--dir", shop)
    run("collect", "plan", "suggest", "--dir", shop, "--out", tmp_path / "new.toml")

    made = told(run("collect", "plan", "adopt", tmp_path / "new.toml", "--dir", shop, "--json"))

    assert made["version"] == 2
    assert told(run("collect", "plan", "coverage", "--dir", shop, "--json"))["undeclared"] == []


def test_the_plan_is_written_as_json_schema_that_reads_back(run, shop, tmp_path):
    run("collect", "plan", "export", "--dir", shop, "--out", tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json") == starting_plan()
