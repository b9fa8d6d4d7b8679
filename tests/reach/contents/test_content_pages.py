"""Pages: MJML is compiled around Liquid, the text is made from the page, mistakes are named."""

import pytest

from regulars.errors import InputError
from regulars.reach.content.compiled import compiled
from regulars.reach.content.definition import Content, Variant, checked
from regulars.reach.content.layout.page import plain_text, tidied
from regulars.reach.content.layout.texting import count_parts, dressed
from regulars.reach.content.templating.holding import hold

MJML = """
<mjml><mj-head><mj-preview>{{ offer.name }}</mj-preview></mj-head><mj-body>
<mj-section><mj-column>
<mj-text>{{ customer.name | default: "顾客" }}，您好</mj-text>
<mj-button href="https://shop.example/o?a=1&amp;b={{ offer.name }}">{{ offer.name }}</mj-button>
</mj-column></mj-section>
<mj-raw>{% if profile.orders > 10 and tags contains "VIP" %}</mj-raw>
<mj-section><mj-column><mj-text>贵宾专享</mj-text></mj-column></mj-section>
<mj-raw>{% endif %}</mj-raw>
</mj-body></mjml>
"""
USES = ("customer.name", "offer.name", "profile.orders", "tags")


def of(mjml="", html="", text="", **parts):
    variant = Variant(mjml=mjml, html=html, text=text)
    return checked(Content("c", "email", "marketing", {"zh-CN": variant}, USES, **parts))


def test_mjml_is_compiled_around_liquid_once(written):
    name = written.writes(id="mjml", mjml=MJML, subject="好", uses=USES)

    ann, bao = written.composes(name, "ann", "bao")

    assert "王小宝，您好" in bao.html
    assert ("贵宾专享" in bao.html, "贵宾专享" in ann.html) == (True, False)
    assert "贵宾专享" in bao.text
    assert "\n\n\n" not in ann.text
    assert "九折券 (https://go.shop.example/r/" in bao.text
    assert "font-family" not in bao.text
    assert bao.html.count("<html") == bao.html.count("</body>") == 1
    with written.state.reading() as opened:
        urls = [row["url"] for row in opened.all("select url from link_destinations")]
    assert any("/o?a=1&b=%E4%B9%9D%E6%8A%98%E5%88%B8&utm_source" in url for url in urls)


@pytest.mark.parametrize(
    ("mjml", "says"),
    [
        ("<mjml><mj-body>", "not readable MJML"),
        ("<mjml><mj-body><mj-include path='/etc/passwd' /></mj-body></mjml>", "include"),
        (MJML.replace("<mj-raw>{% endif %}</mj-raw>", ""), "expected tag endif"),
        (MJML.replace("<mj-text>", "<mj-text unknown='{{ offer.name }}'>"), "no text where"),
        (MJML.replace("<mj-raw>", "<!-- {{ offer.name }} --><mj-raw>"), "no text where"),
    ],
)  # fmt: skip
def test_mjml_that_would_lose_something_is_refused(mjml, says):
    with pytest.raises(InputError, match=says):
        compiled(of(mjml=mjml), "zh-CN")


def test_a_compiler_that_drops_liquid_silently_is_caught():
    """Planted: a compiler that loses what stands last, and nobody would notice."""
    held = hold("<a>{{ offer.name }}</a>{% if x %}")

    assert held.missing(held.text) == []
    assert held.missing(held.text[:-1]) == ["{% if x %}"]


def test_words_that_stand_for_liquid_stand_nowhere_else():
    held = hold("lq0z {{ a }} lq1z")

    assert held.words.findall("lq0z lq1z") == []
    assert held.give_back(held.text) == "lq0z {{ a }} lq1z"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>一</p><p>二<br>三</p>", "一\n\n二\n三"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ('<a href="https://a.example">看</a>', "看 (https://a.example)"),
        ('<a href="mailto:a@a.example">写信</a><a href="#x">上</a>', "写信上"),
        ('<div style="display: none">藏</div>见', "见"),
        ("<style>p{}</style><title>t</title><!-- c -->见", "见"),
        ('<img src="x" alt="图"><img src="y">', "图"),
        ("a &amp; b&nbsp;c", "a & b c"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<p>开着", "开着"),
        ("<div style='display:none'><p>藏</div>见", "见"),
    ],
)
def test_a_text_says_what_the_page_shows(html, text):
    assert plain_text(html).replace("\xa0", " ") == text


def test_tidying_takes_out_empty_lines_only():
    assert tidied("  a  \n\n\n\n b\n") == "a\n\nb"


@pytest.mark.parametrize(
    ("text", "locale", "wanted"),
    [
        ("新茶到店。", "zh-CN", "【街角】新茶到店，拒收请回复R"),
        ("新茶，退订回T", "zh-CN", "【街角】新茶，退订回T"),
        ("Tea is in", "en", "【街角】Tea is in. Reply STOP to opt out"),
        ("【别的】新茶，拒收请回复R", "zh-CN", "【别的】新茶，拒收请回复R"),
    ],
)
def test_a_marketing_text_says_who_sends_it_and_how_to_stop_it_once(text, locale, wanted):
    given = {"signature": "街角", "stop": "", "locale": locale, "is_marketing": True}

    assert dressed(text, **given) == wanted
    assert dressed(wanted, **given) == wanted


def test_parts_outside_the_mainland_follow_the_alphabet():
    def parts(text):
        found = count_parts(text, is_chinese_network=False)
        return found.alphabet, found.parts

    assert parts("a" * 160) == ("gsm-7", 1)
    assert parts("a" * 161) == ("gsm-7", 2)
    assert parts("€" * 80) == ("gsm-7", 1)
    assert parts("€" * 81) == ("gsm-7", 2)
    assert parts("a" * 70 + "春") == ("ucs-2", 2)
    assert parts("") == ("gsm-7", 1)
