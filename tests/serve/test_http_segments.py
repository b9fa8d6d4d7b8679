"""Audiences over HTTP, by the right caller and the wrong one."""

import csv
import io
from datetime import UTC, datetime

import httpx
import pytest

from regulars.govern.access.api_keys.service import add_key
from regulars.govern.audit.service import newest

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
ROOM = "/api/understand/segments"
SPENDERS = {"field": "monetary", "is": ">=", "value": 300}


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    """A shop of its own: its audiences are nobody else's."""
    folder = tmp_path_factory.mktemp("audiences") / "shop"
    make_shop.filled(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture(scope="module")
def caller(server):
    """Gives a client with a key of a role."""
    made = {}

    def of(role):
        if role not in made:
            state = server.home.state
            _, key = add_key(state, name=f"{role}-audiences", role=role, actor="t", now=NOW)
            headers = {"authorization": f"Bearer {key}"}
            made[role] = httpx.Client(base_url=server.url, headers=headers, timeout=120)
        return made[role]

    return of


def test_a_rule_is_counted_with_a_covered_sample(caller):
    found = caller("viewer").post(f"{ROOM}/count", json={"rule": SPENDERS}).json()

    assert (found["count"]["customers"], found["count"]["known"]) == (48, 60)
    assert found["lineage"] == ["profiles.monetary"]
    assert len(found["sample"]) == 10
    assert {row["name"] for row in found["sample"]} == {"王**"}
    assert "phone" not in found["sample"][0]


def test_a_rule_that_cannot_be_used_is_refused_with_its_place_and_a_near_name(caller):
    given = {"rule": {"all": [SPENDERS | {"field": "monetery"}]}}
    answer = caller("viewer").post(f"{ROOM}/count", json=given)

    assert answer.status_code == 400
    assert "rule.all[0].field is 'monetery'; did you mean monetary" in answer.text


def test_an_audience_is_kept_refreshed_compared_and_taken_back(caller):
    marketer = caller("marketer")
    kept = marketer.put(f"{ROOM}/spenders", json={"rule": SPENDERS, "owner": "mei"}).json()
    assert (kept["version"], kept["members"]) == (1, None)
    [line] = marketer.post(f"{ROOM}/refresh", params={"name": "spenders"}).json()["audiences"]
    assert (line["members"], line["entered"]) == (48, 48)
    few = SPENDERS | {"value": 400}
    assert marketer.put(f"{ROOM}/spenders", json={"rule": few}).json()["version"] == 2
    assert marketer.post(f"{ROOM}/spenders/undo", json={"version": 1}).json()["version"] == 3

    shown = caller("viewer").get(f"{ROOM}/spenders").json()
    assert [one["version"] for one in shown["versions"]] == [1, 2, 3]
    assert shown["versions"][0]["rule"] == shown["versions"][2]["rule"] == SPENDERS
    assert [one["entered"] for one in shown["refreshes"]] == [48]
    [overlap] = caller("viewer").post(f"{ROOM}/overlap", json={"rule": few}).json()
    assert (overlap["name"], overlap["customers"], overlap["share"]) == ("spenders", 48, 1.0)
    assert len(caller("analyst").get(f"{ROOM}/spenders/changes").json()) == 48
    assert marketer.delete(f"{ROOM}/spenders").json() == {"deleted": "spenders"}
    assert caller("viewer").get(f"{ROOM}/spenders").status_code == 404


def test_an_export_is_covered_and_on_record_and_clear_only_for_approvers(caller, server):
    caller("marketer").put(f"{ROOM}/all of them", json={"rule": SPENDERS})
    columns = ["name", "phone", "monetary"]
    answer = caller("marketer").post(f"{ROOM}/all of them/export", json={"columns": columns})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert (len(rows), rows[0]["customer_id"]) == (48, "c012")
    assert (rows[0]["name"], rows[0]["phone"]) == ("王**", "138****0012")
    assert answer.headers["cache-control"] == "no-store"
    [entry] = newest(server.home.state, size=1)
    assert (entry.action, entry.subject) == ("audience.export", "all of them")
    assert '"clear":false' in entry.detail.replace(" ", "")

    wish = {"columns": columns, "clear": True, "reason": "a letter by post"}
    assert caller("marketer").post(f"{ROOM}/all of them/export", json=wish).status_code == 403
    assert caller("analyst").post(f"{ROOM}/all of them/export", json={}).status_code == 403
    without = caller("approver").post(f"{ROOM}/all of them/export", json=wish | {"reason": ""})
    assert (without.status_code, "no reason was given" in without.text) == (400, True)
    clear = caller("approver").post(f"{ROOM}/all of them/export", json=wish)
    assert "王小12,13800130012" in clear.content.decode("utf-8-sig")


def test_an_audience_begins_from_what_the_shop_s_own_customers_choose(caller):
    starts = {one["key"] for one in caller("viewer").get(f"{ROOM}/starts").json()}
    assert {"deal_seeker", "novelty_seeker", "brand_loyal", "deliberate", "habitual"} < starts
    assert len(starts) == 5 + 9

    grid = caller("viewer").get(f"{ROOM}/starts/grid:high-active").json()
    assert grid == {"score": "customer_values.grid_cell", "is": "=", "value": "high-active"}
    # Nobody of this shop has bought enough lines for a leaning, and that is said.
    none = caller("viewer").get(f"{ROOM}/starts/deal_seeker")
    assert (none.status_code, "no customer has deal_seeking yet" in none.text) == (503, True)
