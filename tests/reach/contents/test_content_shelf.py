"""The library: contents by facet and review state, the gaps of the matrix, creators' codes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.app import open_app
from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.keeping.service import put_offer
from regulars.decide.offers.pricing import basket_from
from regulars.errors import InputError, UnknownName
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import put_content
from regulars.reach.content.shelf.service import Wanted, matrix, search, set_facets
from regulars.reach.coupons.redeeming.service import redeem, reverse
from regulars.reach.links.creators.service import Creator, payouts, put_creator

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
LI = Creator(
    "li", "小李", "koc", "xiaohongshu", "LI10", "https://shop.example/tea", Decimal("0.05")
)


@pytest.fixture
def app(tmp_path):
    (tmp_path / "regulars.toml").write_text('[retailer]\nzone = "Asia/Shanghai"\n', "utf-8")
    return open_app(tmp_path, workers=1)


def writes(app, name, text, *, channel="sms", locales=("zh-CN",)):
    variants = {locale: Variant(text=text) for locale in locales}
    return put_content(
        app.state, Content(name, channel, "marketing", variants), actor="mei", at=NOW
    )


def facets(app, name, **words):
    for kind, values in words.items():
        set_facets(app.state, name, kind, values, actor="mei", now=NOW)


def submitted(app, content, status):
    """A campaign with a version of a content, and what became of its request."""
    with app.state.transaction() as opened:
        [row] = opened.all("SELECT COUNT(*) AS n FROM approval_requests")
        number = row["n"] + 1
        opened.run(
            """INSERT INTO campaign_versions
               VALUES (:c, 1, :definition, 'h', 'mei', :at)""",
            c=f"c{number}",
            definition=json.dumps({"content": {"sms": content}}),
            at=str(NOW),
        )
        opened.run(
            """INSERT INTO approval_requests (request_id, kind, subject, version, content_hash,
                   status, hands, evidence, requested_by, requested_at)
               VALUES (:n, 'campaign', :c, 1, 'h', :status, '[]', '{}', 'mei', :at)""",
            n=number,
            c=f"c{number}",
            status=status,
            at=(NOW + timedelta(hours=number)).isoformat(),
        )


def ids(items):
    return [one.id for one in items]


def test_contents_are_found_by_words_facets_and_review_state(app):
    tea = writes(app, "tea", "新茶上市", locales=("zh-CN", "en"))
    writes(app, "milk", "鲜奶九折", channel="push")
    facets(app, "tea", tag=["春季", " 春季 ", "新品"], interest=["tea"])

    assert ids(search(app.state)) == ["milk", "tea"]
    assert ids(search(app.state, Wanted(text="新茶"))) == ["tea"]
    assert ids(search(app.state, Wanted(locale="en"))) == ["tea"]
    assert ids(search(app.state, Wanted(tag="春季", interest="tea"))) == ["tea"]
    assert ids(search(app.state, Wanted(channel="push"))) == ["milk"]
    submitted(app, tea, "waiting")
    assert ids(search(app.state, Wanted(review="in_review"))) == ["tea"]
    submitted(app, tea, "approved")
    submitted(app, tea, "changes_asked")
    assert [one.review for one in search(app.state)] == ["draft", "approved"]
    writes(app, "tea", "新茶又上市")
    assert [one.review for one in search(app.state)] == ["draft", "draft"]


def test_facets_are_replaced_as_a_whole_and_unknown_ones_refused(app):
    writes(app, "tea", "茶")
    facets(app, "tea", tag=["a", "b"])
    facets(app, "tea", tag=["c"])

    [item] = search(app.state)
    assert item.tags == ("c",)
    with pytest.raises(InputError, match="must be tag or interest"):
        set_facets(app.state, "tea", "colour", ["red"], actor="mei", now=NOW)
    with pytest.raises(UnknownName):
        set_facets(app.state, "nothing", "tag", ["x"], actor="mei", now=NOW)


def test_the_matrix_shows_where_nothing_approved_is_written_for_an_interest(app):
    tea = writes(app, "tea", "茶")
    writes(app, "milk", "奶", channel="push")
    facets(app, "tea", interest=["tea"])
    facets(app, "milk", interest=["milk"])
    submitted(app, tea, "approved")

    found = matrix(app.state, interests=["coffee"])

    assert (found.interests, found.channels) == (("coffee", "milk", "tea"), ("push", "sms"))
    assert ids(found.items["tea", "sms"]) == ["tea"]
    assert ("tea", "sms") not in found.gaps
    # There is a content for milk by push, and nobody has approved it.
    assert ("milk", "push") in found.gaps
    assert [gap for gap in found.gaps if gap[0] == "coffee"] == [
        ("coffee", "push"),
        ("coffee", "sms"),
    ]


def test_a_creator_is_due_a_share_of_what_was_paid_with_the_code_and_stayed(app):
    ten = {"offer_id": "ten", "name": "ten", "kind": "percent", "share": "0.1"}
    put_offer(app.state, offer_from(ten, "ten"), actor="mei", now=NOW)
    li = Creator(**{**vars(LI), "offer_id": "ten"})
    put_creator(app.state, li, actor="mei", now=NOW)
    for n, who in enumerate(["ann", "bob", "ann"]):
        line = {"line_id": "1", "product_id": "p", "amount": "99.99"}
        basket = basket_from({"order_id": f"o{n}", "customer_id": who, "lines": [line]})
        redeem(app.state, basket, ["li-10"], key=f"k{n}", now=NOW + timedelta(days=n))
    reverse(app.state, "k1", reverse_key="r", now=NOW)

    [all_] = payouts(app.state, since=NOW, until=NOW + timedelta(days=9))
    [first] = payouts(app.state, since=NOW, until=NOW + timedelta(days=1))

    assert (all_.orders, all_.customers) == (2, 1)
    assert (all_.sales, all_.discount) == (Decimal("199.98"), Decimal("20.00"))
    # Five per cent of 179.98, in whole cents.
    assert (all_.due, first.orders) == (Decimal("8.99"), 1)


def test_a_creators_link_names_platform_code_and_creator(app):
    url = put_creator(app.state, LI, actor="mei", now=NOW).url

    assert url == (
        "https://shop.example/tea?utm_source=xiaohongshu&utm_medium=creator"
        "&utm_campaign=LI10&utm_content=li"
    )


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"creator_id": "other", "code": "li-10"}, "is another creator's"),
        ({"code": "NEW"}, "people know it"),
        ({"share": Decimal("1.5")}, "must be 0 to 1"),
        ({"kind": "star"}, "must be koc or kol"),
        ({"target": "javascript:alert(1)"}, "javascript"),
    ],
)
def test_a_creator_that_cannot_be_kept_says_why(app, changes, hint):
    put_creator(app.state, LI, actor="mei", now=NOW)

    with pytest.raises(InputError, match=hint):
        put_creator(app.state, Creator(**{**vars(LI), **changes}), actor="mei", now=NOW)
