"""Draft journeys over HTTP: tried without a trace, templates with what they lack."""

import httpx
from tests.reach.journeys.test_journey_dry_run import JOURNEY, NOW

from regulars.govern.access.api_keys.service import add_key
from regulars.reach.journeys.definition.reading import parse
from regulars.reach.journeys.templates.catalogue import NAMES


def test_a_draft_is_tried_over_http_and_a_broken_one_is_told_why(make_shop, serve, tmp_path):
    make_shop.filled(tmp_path / "shop")
    given = parse(JOURNEY, is_json=False)
    with serve(tmp_path / "shop") as server:
        _, key = add_key(
            server.home.state, name="m", role="marketer", actor="t", owner="marketer", now=NOW
        )
        headers = {"authorization": f"Bearer {key}"}
        client = httpx.Client(base_url=server.url, headers=headers, timeout=60)
        tried_out = client.post("/api/reach/simulate", json={"journey": given})
        broken = client.post("/api/reach/simulate", json={"journey": given | {"start": "moon"}})
        templates = client.get("/api/reach/journey-templates").json()

    assert tried_out.status_code == 200, tried_out.text
    assert tried_out.json()["journey"] == "cart"
    assert broken.status_code == 400
    assert "moon" in broken.json()["error"]["message"]
    assert {one["name"] for one in templates} == set(NAMES)
