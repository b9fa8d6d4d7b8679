"""The pages about audiences: nested groups as fields of a form, a count, versions, exports."""

import html
import re

import pytest

from regulars.errors import InputError
from regulars.serve.console import words
from regulars.serve.console.pages.audiences.audience_draft import (
    Draft,
    Group,
    Row,
    changed,
    draft_of,
    read_draft,
    rule_of,
    tree_of,
)
from regulars.understand.segments.audiences.definition import Audience, read_audience
from regulars.understand.segments.audiences.dimensions import DIMENSIONS
from regulars.understand.segments.audiences.rules import score_fields
from regulars.understand.segments.audiences.service import find_audience
from regulars.unify.tags.rules import FIELDS

NESTED = {
    "all": [
        {"field": "monetary", "is": ">=", "value": 300},
        {
            "any": [
                {"event": "Product Viewed", "days": 30, "is": ">=", "value": 2},
                {
                    "not": {
                        "any": [
                            {"tag": "vip"},
                            {"consent": "marketing", "channel": "sms", "is": "granted"},
                        ]
                    }
                },
                {
                    "sequence": [
                        {"event": "Product Viewed"},
                        {"without": "$order", "within_days": 3},
                    ],
                    "days": 7,
                },
            ]
        },
        {
            "event": "$visit",
            "from": "2026-02-01",
            "to": "2026-02-28",
            "is": "between",
            "value": [1, 3],
        },
        {"score": "rfm_scores.segment", "is": "in", "value": ["champions", "loyal"]},
        {"field": "city", "is": "missing"},
    ]
}


def text_of(page):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def fields_of(part, place="0"):
    """The fields a form with these conditions would send."""
    if isinstance(part, Row):
        return {f"n{place}.{name}": value for name, value in vars(part).items()}
    inside = {f"n{place}.word": part.word}
    for n, one in enumerate(part.parts):
        inside |= fields_of(one, f"{place}.{n}")
    return inside


def post(server, role, path, fields):
    client = server.client(role)
    return client.post(path, data=fields | {"csrf_token": server.csrf(client)})


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audiences") / "shop"
    make_shop.filled(folder)
    with serve(folder) as server:
        yield server


def test_a_nested_rule_goes_through_the_form_and_back_unchanged():
    draft = draft_of(Audience("a", NESTED))

    assert not draft.is_text
    assert rule_of(draft) == NESTED
    assert rule_of(read_draft(fields_of(draft.tree))) == NESTED
    assert read_audience("a", rule_of(draft)).rule == read_audience("a", NESTED).rule


def test_what_rows_cannot_say_stays_text():
    rule = {
        "sequence": [
            {"event": "a"},
            {"event": "b", "within_hours": 3},
            {"event": "c", "within_days": 1},
        ],
        "days": 7,
    }
    draft = draft_of(Audience("a", rule))

    assert draft.is_text
    assert rule_of(draft) == rule
    with pytest.raises(InputError, match="more than rows can"):
        changed(draft, "rows")


def test_the_buttons_of_the_editor_add_and_take_away_parts():
    draft = Draft(tree=Group(parts=(Row("tag", name="a"),)))

    draft = changed(draft, "group:0")
    draft = changed(draft, "add:0.1")
    assert [type(part) for part in draft.tree.parts] == [Row, Group]
    assert len(draft.tree.parts[1].parts) == 2
    draft = changed(draft, "drop:0.1.0")
    assert len(draft.tree.parts[1].parts) == 1
    assert changed(draft, "drop:0.1").tree.parts == (Row("tag", name="a"),)
    assert changed(draft, "add:7.7").tree == draft.tree
    assert tree_of({"tag": "a"}).parts == (Row("tag", name="a"),)


def test_every_field_and_score_is_in_one_dimension_and_has_a_word():
    named = [name for fields in DIMENSIONS.values() for name in fields]

    assert sorted(named) == sorted(FIELDS)
    assert set(DIMENSIONS) == set(words.FIVE)
    assert set(score_fields()) == set(words.SCORES_OF_TURN)


def test_a_draft_is_counted_while_it_is_written_and_kept(shop):
    fields = {"name": "大客户", "n0.word": "all", "n0.0.what": "field:monetary"}
    fields |= {"n0.0.sign": ">=", "n0.0.value": ""}
    page = post(shop, "marketer", "/audiences/count", fields)
    assert "Counted as soon as every condition is complete." in text_of(page.text)

    fields["n0.0.value"] = "300"
    assert "48 of 60 customers" in text_of(post(shop, "marketer", "/audiences/count", fields).text)
    assert post(shop, "marketer", "/audiences/save", fields).status_code in {200, 303}
    kept = find_audience(shop.home.state, "大客户")
    assert (kept.given, kept.version) == ({"field": "monetary", "is": ">=", "value": 300}, 1)

    fields["n0.0.value"] = "many"
    refused = post(shop, "marketer", "/audiences/save", fields)
    assert (refused.status_code, "must be a number" in text_of(refused.text)) == (400, True)


def test_a_viewer_reads_and_writes_nothing(shop):
    page = shop.client("viewer").get("/audiences?lang=en")

    assert page.status_code == 200
    assert "New audience" not in text_of(page.text)
    assert post(shop, "viewer", "/audiences/save", {"name": "x"}).status_code == 403
    assert shop.client("viewer").get("/audiences/edit").status_code == 403
