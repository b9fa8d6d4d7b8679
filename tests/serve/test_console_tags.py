"""The pages about tags: a list, an editor of rows or text, a count while writing."""

import html
import json
import re
from datetime import date

import pytest

from regulars.errors import InputError
from regulars.govern.audit.service import newest
from regulars.serve.console.pages.tags.tag_draft import (
    changed,
    definition,
    draft_of,
    is_complete,
    read_draft,
    written,
)
from regulars.unify.tags.definitions import Tag, TagKind
from regulars.unify.tags.service import find_tag, list_tags, tag_versions

RECENT = {
    "name": "近期活跃",
    "kind": "rule",
    "word": "all",
    "g0.word": "all",
    "g0.r0.field": "recency_days",
    "g0.r0.sign": "<=",
    "g0.r0.value": "10",
}


def text_of(page):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def post(server, role, path, fields):
    client = server.client(role)
    return client.post(path, data=fields | {"csrf_token": server.csrf(client)})


def values_of(page):
    """What the form of the editor holds."""
    fields = {}
    for tag in re.findall(r"<input [^>]*>", page):
        if name := re.search(r'name="([^"]+)"', tag):
            value = re.search(r'value="([^"]*)"', tag)
            fields[name[1]] = html.unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select [^>]*name="([^"]+)".*?>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = html.unescape(chosen[1]) if chosen else ""
    return fields


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    make_shop.filled(tmp_path_factory.mktemp("tags") / "shop")
    with serve(tmp_path_factory.getbasetemp() / "tags0" / "shop") as server:
        yield server


@pytest.mark.parametrize(
    ("row", "condition"),
    [
        ({"field": "orders", "sign": ">=", "value": "3"}, {"field": "orders", "is": ">=", "value": 3}),
        (
            {"field": "coupon_share", "sign": ">", "value": "30%"},
            {"field": "coupon_share", "is": ">", "value": 0.3},
        ),
        (
            {"field": "monetary", "sign": "between", "value": "100，500.5"},
            {"field": "monetary", "is": "between", "value": [100, 500.5]},
        ),
        (
            {"field": "city", "sign": "in", "value": "上海、 杭州"},
            {"field": "city", "is": "in", "value": ["上海", "杭州"]},
        ),
        ({"field": "city", "sign": ">=", "value": "x"}, {"field": "city", "is": "=", "value": "x"}),
        (
            {"field": "gender", "sign": "missing", "value": "left over"},
            {"field": "gender", "is": "missing"},
        ),
        (
            {"field": "event", "sign": ">=", "value": "2", "event": "Product Viewed", "days": "7"},
            {"event": "Product Viewed", "days": 7, "is": ">=", "value": 2},
        ),
    ],
)  # fmt: skip
def test_a_row_says_one_condition(row, condition):
    form = {"g0.word": "all"} | {f"g0.r0.{name}": value for name, value in row.items()}

    assert definition(read_draft(form)) == {"rule": condition}


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "orders", "is": ">", "value": 2},
        {"any": [{"field": "city", "is": "=", "value": "a"}, {"field": "gender", "is": "exists"}]},
        {
            "any": [
                {"field": "orders", "is": "between", "value": [1, 2]},
                {"all": [{"field": "orders", "is": ">", "value": 9},
                         {"event": "E", "days": 30, "is": "<", "value": 1}]},
            ]
        },
        {"all": [{"any": [{"field": "orders", "is": ">", "value": 2},
                          {"field": "city", "is": "in", "value": ["a", "b"]}]},
                 {"field": "trend_30d", "is": "<", "value": 0.5}]},
    ],
)  # fmt: skip
def test_a_rule_goes_into_rows_and_comes_out_the_same(rule):
    draft = draft_of(Tag("t", TagKind.RULE, {"rule": rule}))

    assert not draft.is_text
    assert definition(draft) == {"rule": rule}
    assert is_complete(draft)


def test_a_rule_too_deep_for_rows_is_edited_as_text():
    rule = {"not": {"field": "orders", "is": ">", "value": 2}}
    draft = draft_of(Tag("t", TagKind.RULE, {"rule": rule}))

    assert draft.is_text
    assert definition(draft) == {"rule": rule}
    with pytest.raises(InputError, match="too deep for rows"):
        changed(draft, "rows")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Tag("t", TagKind.MODEL, {"table": "customer_values", "column": "p_alive", "at_least": 0.5}), None),
        (Tag("t", TagKind.SOURCE, {"trait": "level", "value": "gold"}), None),
        (Tag("t", TagKind.MANUAL, {}, "why", "ann", date(2027, 1, 2), 30), None),
    ],
)  # fmt: skip
def test_the_other_kinds_go_through_the_form_as_well(given, told):
    made = written(draft_of(given))

    assert made["definition"] == dict(given.definition)
    assert (made["description"], made["owner"]) == (given.description, given.owner)
    assert made["expires_on"] == (given.expires_on.isoformat() if given.expires_on else None)
    assert made["keep_days"] == given.keep_days


def test_rows_and_groups_are_added_and_taken_away():
    draft = read_draft(RECENT)
    more = changed(changed(changed(draft, "add:0"), "group"), "drop:0:1")
    none = changed(draft, "drop:0:0")

    assert [len(group.rows) for group in more.groups] == [1, 1]
    assert more.groups[0] == draft.groups[0]
    assert [row.field for row in none.groups[0].rows] == [""], "one empty row stays to write in"
    for odd in ("drop:7:7", "add:99", "add:x", "nonsense", ""):
        assert changed(draft, odd) == draft


def test_the_count_says_how_many_and_shows_a_few_masked(shop):
    page = post(shop, "marketer", "/tags/count", RECENT).text

    assert "11 of 60 customers, as of 2026-03-01" in text_of(page)
    assert "c000 王**" in text_of(page)
    assert "王小" not in page


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"g0.r0.value": ""}, "Counted as soon as every condition is complete."),
        ({"g0.r0.field": ""}, "Counted as soon as every condition is complete."),
        ({"g0.r0.value": "ten"}, "This cannot be counted:"),
        ({"is_text": "yes", "text": "{"}, "This cannot be counted:"),
    ],
)
def test_what_cannot_be_counted_says_so(shop, fields, says):
    page = post(shop, "marketer", "/tags/count", RECENT | fields)

    assert page.status_code == 200
    assert says in text_of(page.text)


def test_before_the_first_turn_the_count_says_what_to_do(empty_server):
    page = post(empty_server, "marketer", "/tags/count", RECENT).text

    assert "Turn the loop once: regulars run" in text_of(page)


def test_a_tag_is_written_saved_changed_and_deleted(shop):
    saved = post(shop, "marketer", "/tags/save", RECENT | {"description": "刚来过"})
    listed = text_of(shop.client("viewer").get("/tags").text)
    page = shop.client("marketer").get("/tags/edit?name=近期活跃").text
    again = post(shop, "marketer", "/tags/save", values_of(page) | {"g0.r0.value": "7"})
    versions = tag_versions(shop.home.state, "近期活跃")
    gone = post(shop, "marketer", "/tags/delete", {"name": "近期活跃"})

    assert saved.headers["location"] == "/tags?said=tag_saved"
    assert "近期活跃 刚来过 Rule tag 0 marketer never Days since the last order 1" in listed
    assert "Save as version 2" in text_of(page)
    assert again.status_code == 303
    assert [one.tag.definition["rule"]["value"] for one in versions] == [10, 7]
    assert versions[1].tag.description == "刚来过", "what was not touched is kept"
    assert gone.headers["location"] == "/tags?said=tag_deleted"
    assert list_tags(shop.home.state) == []
    actions = [entry.action for entry in newest(shop.home.state, size=9)]
    assert [one for one in actions if one.startswith("tag.")] == [
        "tag.delete", "tag.keep", "tag.keep"]  # fmt: skip


def test_without_scripts_buttons_give_the_whole_page_back(shop):
    page = post(shop, "marketer", "/tags/edit", RECENT | {"do": "add:0"}).text
    text = post(shop, "marketer", "/tags/edit", RECENT | {"do": "text"}).text
    written_out = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", text, re.S)[1])

    assert "<!doctype html>" in page
    assert values_of(page)["g0.r0.value"] == "10"
    assert values_of(page)["g0.r1.field"] == ""
    assert json.loads(written_out) == {
        "rule": {"field": "recency_days", "is": "<=", "value": 10}}  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [{"name": "a/b"}, {"name": ""}, {"g0.r0.value": "ten"}, {"keep_days": "0"},
     {"expires_on": "soon"}, {"kind": "source", "trait": "x y"}, {"description": "x" * 501}],
)  # fmt: skip
def test_what_cannot_be_kept_is_explained_and_nothing_typed_is_lost(shop, fields):
    page = post(shop, "marketer", "/tags/save", RECENT | fields)

    assert page.status_code == 400
    assert "Not saved yet:" in text_of(page.text)
    assert values_of(page.text)["name"] == (RECENT | fields)["name"]
    assert list_tags(shop.home.state) == []


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_only_marketers_write_tags(shop, role):
    for path in ("/tags/save", "/tags/edit", "/tags/count", "/tags/delete"):
        assert post(shop, role, path, RECENT).status_code == 403
    assert shop.client(role).get("/tags/edit").status_code == 403
    assert "/tags/edit" not in shop.client(role).get("/tags").text


def test_a_tag_there_is_none_of_is_not_found(shop):
    assert shop.client("marketer").get("/tags/edit?name=nothing").status_code == 404
    assert post(shop, "marketer", "/tags/delete", {"name": "nothing"}).status_code == 404


def test_a_name_with_markup_stays_text(shop):
    name = "<script>x"
    post(shop, "marketer", "/tags/save", RECENT | {"name": name})
    page = shop.client("marketer").get("/tags").text
    post(shop, "marketer", "/tags/delete", {"name": name})

    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    with pytest.raises(Exception, match="tag"):
        find_tag(shop.home.state, name)


def test_a_new_workspace_says_what_to_do(empty_server):
    said = text_of(empty_server.client("marketer").get("/tags").text)

    assert "No tags yet Define the first one from what customers bought" in said
