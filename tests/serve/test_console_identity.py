"""The page of one customer: why they are one, merged, taken apart, tagged by hand."""

import html
import re

import pytest

from regulars.app import open_app
from regulars.govern.audit.service import newest
from regulars.unify.identity.service import owner
from regulars.unify.tags.service import keep_tag, read_tag

PHONE, OTHER_PHONE = "13522223333", "13544445555"
COOKIE, OTHER_COOKIE = "browser-0000000001", "browser-0000000002"


def text_of(page):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def seen(message_id, **fields):
    return {"type": "identify", "messageId": message_id} | fields


def owner_of(live, namespace, value):
    app = open_app(live.folder)
    token = app.protector.token(namespace, value) if namespace == "phone" else value
    return owner(app.state, namespace, token)


def said_of(live, customer_id, role="viewer"):
    return text_of(live.client(role).get(f"/customers/{customer_id}").text)


@pytest.fixture(scope="module")
def known(live, make_key):
    """c010 with a browser and a phone; somebody else with another of each; c011 on c010's."""
    key = make_key("identity")
    live.send(
        key,
        seen("i1", userId="c010", anonymousId=COOKIE, traits={"phone": PHONE}),
        seen("i2", anonymousId=OTHER_COOKIE, traits={"phone": OTHER_PHONE}),
    )
    live.until(lambda: owner_of(live, "login", "c010") and owner_of(live, "cookie", OTHER_COOKIE))
    live.send(key, seen("i3", userId="c011", anonymousId=COOKIE))
    live.until(lambda: owner_of(live, "login", "c011"))
    return owner_of(live, "cookie", OTHER_COOKIE)


def test_every_identifier_is_shown_masked_with_rule_weight_and_evidence(live, known):
    page = live.client("viewer").get("/customers/c010").text
    said = text_of(page)

    for one in ("Customer id c010", "Phone 135****3333", "Browser ****01"):
        assert one in said[said.index("Why this is") : said.index("What joins")]
    assert re.search(r"Customer id c010 Phone 135\*\*\*\*3333 in one event 100% joins", said)
    assert 'href="/data/events/one?source=identity&amp;id=i1"' in page
    assert "c011 Browser ****01 in one event 100% refused each has one of their own" in said
    assert "Same household: c011" in said
    assert not [one for one in (PHONE, COOKIE, "tok_") if one in page]


def test_somebody_only_events_tell_of_has_a_page_and_is_found_by_phone(live, known):
    found = live.post("viewer", "/customers/search", text=OTHER_PHONE).text

    assert f'href="/customers/{known}"' in found
    assert "Known from events; no turn has looked at this customer yet" in said_of(live, known)
    assert "Right now Online profile, updated" in said_of(live, known)


def test_the_timeline_tells_what_happened_online_and_offline(live, known):
    said = said_of(live, "c010")
    told = said[said.index("What happened") :]

    assert "Event · Identification" in told
    assert "Order · store s1" in told


def test_two_are_compared_merged_and_taken_apart_again(live, known):
    compared = live.post("analyst", "/customers/c012/merge", other=OTHER_PHONE).text
    done = live.post("analyst", "/customers/c012/merge/confirm", other=known, reason="same card")
    merged = owner_of(live, "cookie", OTHER_COOKIE)
    moved = live.client("viewer").get(f"/customers/{known}")
    page = live.client("analyst").get("/customers/c012").text
    number = re.findall(r'name="number" value="(\d+)"', page)[0]
    apart = live.post("analyst", "/customers/c012/unmerge", number=number, reason="was wrong")

    assert f"c012 Only files tell of this customer: no event has named them yet. {known}" in (
        text_of(compared)
    )
    assert OTHER_PHONE not in compared
    assert done.headers["location"] == "/customers/c012?said=merged#merges"
    assert merged == "c012"
    assert moved.headers["location"] == "/customers/c012"
    assert "Phone 135****5555" in text_of(page)
    assert f"{known} became part of c012 by hand" in text_of(page)
    assert apart.headers["location"] == "/customers/c012?said=unmerged#merges"
    assert owner_of(live, "cookie", OTHER_COOKIE) == known
    assert f"{known} was taken out of c012" in said_of(live, "c012")
    actions = [entry.action for entry in newest(open_app(live.folder).state, size=8)]
    assert actions.index("customer.unmerge") < actions.index("customer.merge")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("nobody-at-all", "Nobody is known by this."),
        (PHONE[-4:], "Nobody is known by this."),
        ("c010", "That is the same customer already."),
        (PHONE, "That is the same customer already."),
    ],
)
def test_a_merge_with_nobody_or_oneself_is_explained(live, known, other, says):
    page = live.post("analyst", "/customers/c010/merge", other=other)

    assert page.status_code == 400
    assert says in text_of(page.text)


def test_two_login_ids_are_never_merged(live, known):
    page = live.post("analyst", "/customers/c010/merge/confirm", other="c011", reason="x")

    assert page.status_code == 400
    assert "These two are never merged." in text_of(page.text)
    assert owner_of(live, "login", "c011") == "c011"


def test_a_viewer_sees_the_graph_but_no_form_and_is_refused(live, known):
    page = live.client("viewer").get("/customers/c010").text

    assert not re.findall(r'action="/customers/c010[^"]*"', page)
    for path, fields in (
        ("merge", {"other": "c011"}),
        ("merge/confirm", {"other": "c011"}),
        ("unmerge", {"number": "1"}),
        ("tags/give", {"tag": "x"}),
        ("tags/remove", {"tag": "x"}),
    ):
        assert live.post("viewer", f"/customers/c010/{path}", **fields).status_code == 403


def test_an_unmerge_without_a_number_or_of_nothing_is_refused(live, known):
    assert live.post("analyst", "/customers/c010/unmerge", number="x").status_code == 400
    assert live.post("analyst", "/customers/c010/unmerge", number="99999").status_code == 404


def test_a_tag_is_given_and_removed_by_hand(live, known, make_shop):
    app = open_app(live.folder)
    tag = read_tag("老顾客", {"kind": "manual", "definition": {}})
    keep_tag(app.state, tag, actor="test", now=make_shop.now)

    given = live.post("marketer", "/customers/c010/tags/give", tag="老顾客")
    had = said_of(live, "c010", "marketer")
    removed = live.post("marketer", "/customers/c010/tags/remove", tag="老顾客")
    has = said_of(live, "c010", "marketer")

    assert given.headers["location"] == "/customers/c010?said=tag_given#tags"
    assert "Tags 老顾客 ×" in had
    assert removed.headers["location"] == "/customers/c010?said=tag_removed#tags"
    assert "Tags No tag yet. Give a tag by hand 老顾客" in has
    assert live.post("analyst", "/customers/c010/tags/give", tag="老顾客").status_code == 403
    assert live.post("marketer", "/customers/c010/tags/give", tag="nothing").status_code == 404
