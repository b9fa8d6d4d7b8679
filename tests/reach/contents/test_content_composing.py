"""Messages as customers get them: their language, their values, their links, or a reason."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from liquid.undefined import Undefined
from tests.reach.contents.conftest import NOW

from regulars.decide.offers.definition import Offer
from regulars.decide.offers.keeping.service import put_offer
from regulars.ports.channels import Message
from regulars.reach.content.definition import Content, Slot, Variant, locale_for
from regulars.reach.content.lookup.service import Read
from regulars.reach.content.service import Renderer, count_parts, get_content
from regulars.reach.content.templating import environment, template
from regulars.reach.content.templating.template import RenderError, Template
from regulars.reach.coupons.service import issue_coupon
from regulars.reach.coupons.stocking.service import generate
from regulars.reach.links.tokens import Purpose, Standing
from regulars.settings import LinkSettings

PAGE = "<html><body><p>你好{{ customer.name }}，{{ profile.city }}</p>%s</body></html>"


def test_a_mail_reads_what_it_declares_and_goes_to_the_customer(written):
    name = written.writes(
        id="mail", subject="{{ customer.name }}的{{ offer.name }}",
        html=PAGE % '<a href="https://shop.example/tea?x=1&amp;y=2">看看</a>',
        uses=("customer.name", "profile.city", "offer.name"),
    )  # fmt: skip

    ann, bao, chu = written.composes(name, "ann", "bao", "chu")

    assert (ann.address, bao.address, chu) == ("ann@example.com", "bao@example.com", "no_address")
    assert (bao.subject, bao.locale, bao.content) == ("王小宝的九折券", "zh-CN", "mail@1")
    assert "你好王小宝，上海" in bao.html
    assert "你好王小宝，上海\n\n看看 (https://go.shop.example/r/" in bao.text


def test_a_message_shows_the_code_of_its_contact_and_none_goes_out_without_one(written):
    offer = Offer(offer_id="coded", name="coded", kind="percent", share=Decimal("0.1"))
    put_offer(written.state, offer, actor="test", now=NOW)
    generate(written.state, "coded", 1, secret=b"sixteen bytes...", actor="test", now=NOW)
    name = written.writes(id="coded", subject="码", html=PAGE % "{{ coupon.code }}",
                          uses=("customer.name", "profile.city", "coupon.code"))  # fmt: skip
    contacts = [written.contact(one, name, offer_id="coded") for one in ("ann", "bao")]
    with written.state.sharing() as opened:
        code = issue_coupon(opened, "coded", "ann", contacts[0].key, NOW)

    made = written.composer().compose(contacts)

    assert code in made[contacts[0].key].html
    assert made[contacts[1].key] == "content_error"
    assert "••••-••••-••••" in written.previews(get_content(written.state, name), "bao").html


def test_links_lead_to_the_page_with_the_campaign_and_name_nobody(written):
    name = written.writes(id="linked", html=PAGE % '<a href="https://shop.example/tea">看</a>',
                          uses=("customer.name", "profile.city"))  # fmt: skip

    message = written.composes(name, "bao")

    links = written.app.links
    tokens = re.findall(r"https://go\.shop\.example/r/([\w-]+)", message.html)
    assert links.read(Purpose.CLICK, tokens[0]).standing is Standing.GENUINE
    with written.state.reading() as opened:
        urls = {row["url"] for row in opened.all("select url from link_destinations")}
    assert (
        "https://shop.example/tea?utm_source=jiejiao&utm_medium=email"
        "&utm_campaign=spring-26&utm_content=linked%401"
    ) in urls
    assert "bao" not in re.sub(r"<p>.*?</p>", "", message.html)


def test_a_marketing_mail_says_who_sends_it_and_how_to_stop_it(written):
    html = "<html><body><p>新茶</p></body></html>"
    marketing = written.composes(written.writes(id="news", html=html), "bao")
    service = written.composes(
        written.writes(id="paid", html=html, message_class="transactional"), "bao"
    )

    for part in (marketing.html, marketing.text):
        assert "街角超市" in part
        assert "上海市淮海中路1号" in part
        assert "https://go.shop.example/u/" in part
    url = marketing.headers["List-Unsubscribe"].strip("<>")
    claim = written.app.links.read(Purpose.UNSUBSCRIBE, url.rsplit("/", 1)[1])
    assert claim.texts[:2] == ("bao", "email")
    assert marketing.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (service.headers, "unsubscribe" in service.html) == ({}, False)


def test_a_mail_of_text_alone_says_so_too_and_no_other_channel_does(written):
    mail = written.composes(written.writes(id="bare", text="新茶"), "bao")
    hook = written.composes(
        written.writes(id="hooked", channel="hook", text="新茶"), "bao", channel="hook"
    )

    assert "上海市淮海中路1号" in mail.text
    assert "https://go.shop.example/u/" in mail.text
    assert "List-Unsubscribe" in mail.headers
    assert (hook.text, hook.headers) == ("新茶", {})


def test_what_failed_is_told_without_the_customers_values(written, caplog):
    name = written.writes(
        id="told", channel="hook", message_class="transactional", uses=("profile.city", "profile.orders"),
        text="{{ profile.city | divided_by: profile.city }}{{ profile.city | date: '%Y' }}",
    )  # fmt: skip

    assert written.composes(name, "bao", channel="hook") == "content_error"
    assert "1 messages fail" in caplog.text
    assert "上海" not in caplog.text


def test_without_a_public_address_no_marketing_mail_goes_out(written):
    name = written.writes(id="nourl", html="<p>新茶</p>")
    bare = {"links": LinkSettings()}

    assert written.composes(name, "bao", **bare) == "no_public_url"
    paid = written.writes(id="nourl-paid", text="已付款 https://shop.example/o",
                          message_class="transactional")  # fmt: skip
    assert "https://shop.example/o?utm_source" in written.composes(paid, "bao", **bare).text


def test_a_link_the_author_placed_is_not_doubled_by_a_footer(written):
    name = written.writes(
        id="placed", html='<body><a href="{{ unsubscribe_url }}">退</a></body>', text="退 {{ unsubscribe_url }}"
    )  # fmt: skip

    message = written.composes(name, "bao")

    assert message.html.count("/u/") == message.text.count("/u/") == 1


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("zh-CN", "zh-CN"), ("zh_CN", "zh-CN"), ("zh-Hans-CN", "zh-CN"), ("zh-HK", "zh-CN"),
        ("en", "en"), ("en-GB", "en"), ("EN_us", "en"), ("ja-JP", "ja"), ("fr", "zh-CN"),
        ("", "zh-CN"), (None, "zh-CN"), ("garbage!!", "zh-CN"),
    ],
)  # fmt: skip
def test_every_locale_falls_back_to_its_language_then_to_the_retailer(wanted, chosen):
    assert locale_for(wanted, {"zh-CN": 1, "en": 1, "ja": 1}, "zh-CN") == chosen


def test_each_customer_is_written_to_in_their_own_language(written):
    variants = {"zh-CN": Variant(text="您好{{ customer.name }}"),
                "en": Variant(text="Hi {{ customer.name }}")}  # fmt: skip
    name = written.writes(id="two", channel="push", message_class="transactional",
                          variants=variants, uses=("customer.name",))  # fmt: skip
    contacts = [written.contact(one, name, channel="hook") for one in ("ann", "bao")]

    made = written.composer().compose(contacts)

    assert [made[c.key].text for c in contacts] == ["Hi Ann Lee", "您好王小宝"]
    assert [made[c.key].locale for c in contacts] == ["en", "zh-CN"]


def test_a_value_nobody_knows_is_the_default_or_no_message(written):
    uses = ("customer.name", "profile.city")
    with_default = written.writes(
        id="kind", channel="hook", message_class="transactional", uses=uses,
        text="您好{{ customer.name }}，{% if profile.city %}{{ profile.city }}{% else %}。{% endif %}",
        defaults={"customer.name": {"zh": "顾客", "en": "there"}},
    )  # fmt: skip
    without = written.writes(id="strict", channel="hook", message_class="transactional", uses=uses,
                             text="您好{{ customer.name }}")  # fmt: skip

    assert written.composes(with_default, "chu", channel="hook").text == "您好顾客，。"
    assert written.composes(without, "chu", channel="hook") == "content_error"


def test_a_sensitive_field_needs_separate_consent(written):
    name = written.writes(id="rich", channel="hook", message_class="transactional",
                          uses=("profile.income_group",), text="{{ profile.income_group }}档",
                          )  # fmt: skip
    assert written.composes(name, "ann", "bao", channel="hook") == ["sensitive_field"] * 2
    with written.state.transaction() as opened:
        opened.run(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES ('ann', 'sensitive', '*', 'granted', '2026-01-01')"""
        )

    ann, bao = written.composes(name, "ann", "bao", channel="hook")

    assert (ann.text, bao) == ("high档", "sensitive_field")


def test_products_are_shown_with_their_newest_price_and_stock(written):
    name = written.writes(
        id="goods", channel="hook", message_class="transactional",
        products=(Slot("product", ids=("p1",), url="https://shop.example/p/{id}"),),
        uses=("product.name", "product.price", "product.stock", "product.url"),
        text="{{ product.name }} {{ product.price | money }} 剩{{ product.stock }} {{ product.url }}",
    )  # fmt: skip

    assert written.composes(name, "bao", channel="hook").text.startswith("龙井 ¥88.00 剩7 https://")


def test_products_are_chosen_for_the_customer_and_none_is_sold_out(written):
    def listed(choose):
        return written.writes(
            id=f"for-{choose}".replace("_", "-"), channel="hook", message_class="transactional",
            products=(Slot("picks", choose=choose, count=2),), uses=("picks",),
            text="{% for one in picks %}{{ one.name }};{% else %}无{% endfor %}",
        )  # fmt: skip

    popular = written.composes(listed("recommended"), "ann", "chu", channel="hook")
    again = written.composes(listed("bought_again"), "ann", "bao", channel="hook")

    assert [one.text for one in popular] == ["龙井;毛峰;", "无"]
    assert [one.text for one in again] == ["龙井;", "无"]


def test_a_recommender_may_be_plugged_in(written):
    name = get_content(written.state, "for-recommended")
    made = written.composes(
        name.name, "ann", channel="hook", recommend=lambda who, most: dict.fromkeys(who, ["p3"])
    )

    assert made.text == "毛峰;"


def test_tags_and_the_favourite_store_can_be_spoken_of(written):
    name = written.writes(
        id="about", channel="hook", message_class="transactional", uses=("tags", "store.name"),
        text="{% if tags contains 'VIP' %}贵宾{% endif %}{% if tags contains 'gone' %}旧{% endif %}"
             "{{ store.name | default: '任一门店' }}",
    )  # fmt: skip

    ann, bao = written.composes(name, "ann", "bao", channel="hook")

    assert (ann.text, bao.text) == ("外滩店", "贵宾任一门店")


def test_a_text_message_is_signed_says_how_to_stop_it_and_has_short_links(written):
    name = written.writes(id="text", channel="sms", text="春茶上新 https://shop.example/tea",
                          template="SMS_1", parameters={"link": "https://shop.example/tea"})  # fmt: skip

    message = written.composes(name, "bao", channel="sms")

    assert message.address == "+8613800130002"
    assert re.fullmatch(
        r"【街角超市】春茶上新 https://go\.shop\.example/r/[\w-]{11}，拒收请回复R", message.text
    )
    assert message.parameters["link"] == re.search(r"https://[\w./-]+", message.text, re.A)[0]
    assert count_parts(message.text).parts == 1


@pytest.mark.parametrize(
    ("letters", "parts"), [("春" * 70, 1), ("春" * 71, 2), ("春" * 134, 2), ("春" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2)]
)  # fmt: skip
def test_the_parts_of_a_text_message_are_counted_as_networks_do(letters, parts):
    assert count_parts(letters).parts == parts


def test_copy_that_was_refused_is_not_sent(written):
    name = written.writes(id="claims", channel="hook", uses=("profile.city",),
                          text="{{ profile.city }}最好的茶")  # fmt: skip
    seen = []

    def review(content, messages):
        seen.extend(message.text for message in messages)
        return ["absolute term" if "上海" in message.text else "" for message in messages]

    ann, bao = written.composes(name, "ann", "bao", channel="hook", review=review)

    assert bao == "copy_blocked"
    assert isinstance(ann, Message)
    assert sorted(seen) == ["Leeds最好的茶", "上海最好的茶"]


def test_what_a_signed_link_spells_by_chance_is_not_copy(written):
    name = written.writes(
        id="linked", uses=("customer.name",),
        html="<html><body><p>你好{{ customer.name }}</p>"
             '<a href="https://shop.example/NO1tea">看 https://shop.example/NO1tea</a></body></html>',
    )  # fmt: skip
    seen = []

    def review(content, messages):
        seen.extend(messages)
        return ["" for _ in messages]

    sent = written.composes(name, "bao", review=review)

    [read] = seen
    tokens = re.findall(r"https://go\.shop\.example/[a-z]/([\w-]+)", sent.html + sent.text)
    assert len(tokens) > 2
    assert not any(token in read.html + read.text for token in tokens)
    assert "https://go.shop.example/u/" in read.text
    assert "NO1tea" in read.text


def test_a_content_that_is_not_there_or_names_no_version_is_no_content(written):
    assert written.composes("absent@1", "ann") == "no_content"
    assert written.composes("mail", "ann") == "no_content"
    assert written.composes("", "ann") == "no_content"


def test_a_preview_covers_the_customer_and_sets_nothing_off(written):
    before = written.state.reading
    content = get_content(written.state, "mail")
    with before() as opened:
        kept = opened.all("select count(*) as n from link_destinations")

    shown = written.previews(content, "bao")

    assert (shown.subject, shown.address) == ("王**的九折券", "b***@example.com")
    assert 'href="https://shop.example/tea?x=1&amp;y=2&amp;utm_source' in shown.html
    assert "王小宝" not in shown.html + shown.text
    assert "/r/" not in shown.html
    assert "<!doctype html>" in shown.html
    assert "<script" not in shown.html
    with before() as opened:
        assert opened.all("select count(*) as n from link_destinations") == kept
    absent = written.previews(content, "chu")
    assert (absent.reason, absent.detail[:5]) == ("content_error", "empty")


def test_two_keeps_of_one_text_are_one_version(written):
    first = written.writes(id="same", text="一")
    again = written.writes(id="same", text="一")
    other = written.writes(id="same", text="二")

    assert (first, again, other) == ("same@1", "same@1", "same@2")
    assert get_content(written.state, "same@1").variants["zh-CN"].text == "一"


def test_a_window_of_several_contents_and_channels_is_answered_whole(written):
    names = [written.writes(id=f"many-{n}", text=f"第{n}") for n in range(3)]
    contacts = [
        written.contact(who, name, channel=channel, key=f"{n}-{who}-{channel}")
        for n, name in enumerate(names)
        for who in ("ann", "bao", "chu")
        for channel in ("email", "hook")
    ]

    made = written.composer().compose(contacts)

    assert set(made) == {contact.key for contact in contacts}
    assert [made[c.key] for c in contacts if c.customer_id == "chu" and c.channel == "email"] == [
        "no_address"
    ] * 3


NASTY = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="«»")
    | st.sampled_from("{}%<>&'\"|"),
    max_size=30,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=NASTY, city=NASTY)
def test_no_message_has_a_hole_or_liquid_in_it_whatever_the_values(written, name, city):
    """Names and cities are put in by a stand-in for the lake; everything else is real."""
    content = Content(
        "greets", "hook", "transactional",
        {"zh-CN": Variant(subject="致{{ customer.name }}", text="您好«{{ customer.name }}»在«{{ profile.city }}»",
                          html="<p title=\"{{ profile.city }}\">您好«{{ customer.name }}»</p>")},
        ("customer.name", "profile.city"), {"customer.name": {"": "顾客"}},
    )  # fmt: skip
    renderer = Renderer(written.tools())
    contact = written.contact("ann", "greets@1", channel="hook")
    given_values = {"customer": {"name": name}, "profile": {"city": city}}
    given_values = {
        root: {n: v for n, v in part.items() if v.strip()} for root, part in given_values.items()
    }
    renderer.read = lambda *_: replace_read(contact, given_values)

    made = renderer.render(content, "hook", [contact])[contact.key]

    if isinstance(made, Message):
        for text in (made.subject, made.text, made.html):
            assert "{{" not in text
            assert "{%" not in text
            assert "«»" not in text
        assert made.html.count("<") == 2
    else:
        assert made.reason == "content_error"
        assert not city.strip() or "{{" in name + city or "{%" in name + city or not name.strip()


def replace_read(contact, values):
    return Read({contact.key: {root: dict(part) for root, part in values.items()}}, {})


def test_a_renderer_that_lets_holes_through_is_caught(written, monkeypatch):
    """Planted: Liquid as it comes, where a value nobody knows is an empty text."""
    with pytest.raises(RenderError, match="empty"):
        Template("您好{{ customer.name }}", where="t").render({"customer": {}})
    monkeypatch.setattr(environment, "Missing", Undefined)
    monkeypatch.setattr(environment.WholeOutput, "node_class", environment.output.OutputNode)
    template.environment.cache_clear()
    assert Template("您好{{ customer.name }}", where="t").render({"customer": {}}) == "您好"
    template.environment.cache_clear()


def test_replacing_a_content_keeps_what_was_approved(written):
    """A contact names the version it was planned with: a later edit does not change it."""
    first = written.writes(id="edited", channel="hook", text="旧")
    changed = replace(get_content(written.state, first), variants={"zh-CN": Variant(text="新")})
    written.keeps(changed)

    assert written.composes(first, "ann", channel="hook").text == "旧"
