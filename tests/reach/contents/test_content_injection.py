"""Templates of strangers: nothing is read that was not declared, nothing runs, nothing grows."""

import pytest

from regulars.errors import InputError
from regulars.reach.content.compiled import compiled
from regulars.reach.content.definition import Content, Slot, Variant, checked
from regulars.reach.content.templating import environment
from regulars.reach.content.templating.filters import BOUNDED
from regulars.reach.content.templating.template import RenderError, Template

SECRET = "s3cret-of-the-workspace"
VALUES = {
    "customer": {"name": "Ann"},
    "profile": {"city": "Leeds"},
    "tags": ["VIP"],
    "_locale": "en",
    "_currency": "CNY",
}
PAYLOADS = [
    # Jinja and Python
    "{{ config }}", "{{ self.__init__.__globals__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ request.application.__globals__.__builtins__.__import__('os').popen('id').read() }}",
    "{{ customer.__class__ }}", "{{ customer['__class__'] }}", "{{ customer.__init__.__globals__ }}",
    "{{ lipsum.__globals__ }}", "{{ cycler.__init__ }}", "{{ namespace.__init__ }}", "{{ 7*7 }}",
    "{% import os %}", "{% set x = 1 %}", "{% extends 'base.html' %}", "{% macro x() %}{% endmacro %}",
    "{{ customer | attr('__class__') }}", "{{ customer.name.format(SECRET) }}", "{{ [].append }}",
    # Liquid of other engines
    "{% include '/etc/passwd' %}", "{% render 'state.db' %}", "{% layout 'x' %}", "{% section 'x' %}",
    "{% liquid assign x = 1 %}", "{% echo customer.name %}", "{% increment x %}", "{% tablerow x in tags %}{% endtablerow %}",
    "{% raw %}{{ customer.name }}{% endraw %}", "{% javascript %}{% endjavascript %}", "{% style %}{% endstyle %}",
    "{{ customer.name | safe }}", "{{ customer.name | escapejs }}", "{{ 'PHN2Zz4=' | base64_decode }}",
    "{{ customer.name | json }}", "{{ 'x' | asset_url }}", "{{ now }}", "{{ template }}", "{{ env }}", "{{ context }}",
    # other fields
    "{{ profile.income_group }}", "{{ profile.customer_id }}", "{{ customer.phone }}", "{{ customer.email }}",
    "{{ profile[secret] }}", "{{ profile[tags[0]] }}", "{{ settings.links }}", "{{ _link.u0 }}{{ _link.trap }}", "{{ _locale }}", "{{ _currency }}",
    "{{ profile }}", "{{ customer }}", "{% for x in profile %}{{ x }}{% endfor %}", "{% assign p = profile %}{{ p.income_group }}",
    # Mustache, format strings, others: text, or refused
    "{{{ customer.name }}}", "{{#customer}}{{/customer}}", "{{> partial }}", "{{& customer.name }}", "{{!-- x --}}", "{{=<% %>=}}",
]  # fmt: skip
PLAIN = [
    "%s%n%x",
    "{0.__class__}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "%(customer)s",
    "{customer.name}",
]


def content(**parts):
    variant = {"html": "<p>x</p>"} | parts
    return Content("c", "email", "transactional", {"en": Variant(**variant)},
                   ("customer.name", "profile.city", "tags"))  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("place", ["html", "text", "subject", "link"])
def test_what_was_not_declared_cannot_be_read(payload, place):
    parts = {place: payload if place != "html" else f"<p>{payload}</p>"}
    with pytest.raises(InputError):
        compiled(checked(content(**parts)), "en")


@pytest.mark.parametrize("payload", PLAIN)
def test_what_other_engines_run_is_plain_text_here(payload):
    assert Template(payload + "{{ customer.name }}", where="t").render(VALUES) == payload + "Ann"


@pytest.mark.parametrize("payload", PAYLOADS + PLAIN)
def test_a_value_is_never_run(payload):
    """Somebody gives Liquid as their name: it is not run, and nobody gets to see it."""
    template = Template("{{ customer.name }}", where="t", html=True)
    values = VALUES | {"customer": {"name": payload}, "config": SECRET, "self": SECRET}
    try:
        text = template.render(values)
    except RenderError as error:
        assert error.reason == "wrong"
    else:
        assert "{{" not in text
        assert SECRET not in text


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in (1..100000000) %}x{% endfor %}",
        "{% for a in tags %}{% for b in (1..100000000) %}{% endfor %}{% endfor %}",
        "{{ (1..100000000) | join: '' }}",
        "{{ (customer.name..profile.city) | size }}",
        "{% assign n = 100000000 %}{% for a in (1..n) %}{% endfor %}",
    ],
)
def test_a_hundred_million_passes_are_refused_when_written(source):
    with pytest.raises(InputError, match="counts over"):
        Template(source, where="t")


GROWING = {
    "nested loops": "{% for a in (1..999) %}{% for b in (1..999) %}{% for c in (1..999) %}x{% endfor %}{% endfor %}{% endfor %}",
    "empty loops in a row": "{% for a in (1..999) %}{% endfor %}" * 4000,
    "a doubled text": "{% assign s = 'xxxxxxxxxx' %}" + "{% assign s = s | append: s %}" * 40,
    "a text replaced by itself": "{% assign s = 'xxxxxxxxxx' %}" + "{% assign s = s | append: s %}" * 12
    + "{{ s | replace: 'x', s | size }}{{ s | replace: 'x', s }}",
    "joined by a long text": "{% assign s = 'x,' %}" + "{% assign s = s | append: s %}" * 13
    + "{% assign l = s | split: ',' %}{{ l | join: s }}",
    "a captured text": "{% capture s %}" + "x" * 60000 + "{% endcapture %}{% for a in (1..999) %}{{ s }}{% endfor %}",
    "a number squared": "{% assign n = 99999999 %}" + "{% assign n = n | times: n %}" * 40 + "{{ n }}",
    "a wide date": "{{ today | date: '%1000000000d' }}",
    "a long output": "{% for a in (1..999) %}" + "x" * 200000 + "{% endfor %}",
}  # fmt: skip


@pytest.mark.parametrize("source", GROWING.values(), ids=GROWING.keys())
def test_what_grows_without_bound_ends_as_an_error(source):
    with pytest.raises((RenderError, InputError)) as found:
        Template(source, where="t").render(VALUES | {"today": "2026-03-02"})

    if isinstance(found.value, RenderError):
        assert found.value.reason in {"limit", "wrong"}


@pytest.mark.parametrize(
    "source",
    ["{{" * 60_000, "{%" * 60_000, "{{ a " * 40_000, "{% raw %}{{" * 20_000, "{{ " + "(" * 100_000 + "}}",
     "{{ a" + "[a" * 50_000 + "}}", "{{ a" + " | upcase" * 20_000 + " }}"],
)  # fmt: skip
def test_a_template_that_never_closes_is_refused_before_it_is_read(source):
    """Readers take time that grows with the square of such a text."""
    with pytest.raises(InputError, match="is not closed|uses raw"):
        Template(source, where="t")
    with pytest.raises(InputError, match="is not closed"):
        compiled(checked(content(html=source)), "en")


@pytest.mark.parametrize(
    "html", ['<a "' * 20_000, "<a href=" * 20_000, "<a href='" * 20_000 + ">", "<!--" * 20_000]
)
def test_a_page_whose_tags_never_close_is_refused_before_it_is_read(html):
    with pytest.raises(InputError, match="a tag is not closed"):
        compiled(checked(content(html=html)), "en")


def test_two_hundred_megabytes_are_refused_before_they_are_read():
    with pytest.raises(InputError, match="at most 262144"):
        Template("x" * 200_000_000, where="t")


def test_loops_without_a_limit_are_caught(monkeypatch):
    """Planted: the sum of passes is not counted; only the wall clock is left to end it."""
    monkeypatch.setattr(environment.Bounded, "raise_for_loop_limit", lambda self, length=1: None)
    source = "{% for a in (1..150) %}{% for b in (1..150) %}{% endfor %}{% endfor %}done"

    assert Template(source, where="t").render(VALUES) == "done"
    monkeypatch.undo()
    with pytest.raises(RenderError, match="passes of loops"):
        Template(source, where="t").render(VALUES)


def test_every_filter_that_makes_longer_texts_is_bounded():
    assert set(BOUNDED) == {
        "append", "prepend", "replace", "replace_first", "replace_last", "join",
    }  # fmt: skip
    for name in BOUNDED:
        long = "x" * 60_000
        with pytest.raises(Exception, match="must make at most"):
            BOUNDED[name](long, "x", long) if name.startswith("replace") else BOUNDED[name](
                [long, long] if name == "join" else long, long
            )


SCRIPTED = [
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example></SCRIPT>", "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>", "<a href='java\tscript:alert(1)'>x</a>", "<a href='&#106;avascript:alert(1)'>x</a>",
    "<iframe src='https://evil.example'></iframe>", "<form action='https://evil.example'><input></form>",
    "<object data='x'></object>", "<embed src='x'>", "<base href='https://evil.example/'>", "<svg onload=alert(1)></svg>",
    "<body onload=alert(1)>", "<a href='data:text/html,<script>alert(1)</script>'>x</a>", "<math><mi></mi></math>",
    "<style>p { color: {{ profile.city }} }</style>", "<p style='color:{{ profile.city }}'>x</p>", "<p {{ profile.city }}>x</p>",
    "<img alt={{ profile.city }}>", "<{{ profile.city }}>", "<p onclick='{{ profile.city }}'>x</p>",
]  # fmt: skip


@pytest.mark.parametrize("html", SCRIPTED)
def test_a_page_holds_nothing_that_runs_and_values_only_where_escaping_protects(html):
    with pytest.raises(InputError):
        compiled(checked(content(html=html)), "en")


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a'b\"c", "&lt;"]
)
def test_values_are_escaped_in_pages_and_plain_in_texts(name):
    page = Template('<p title="{{ customer.name }}">{{ customer.name }}</p>', where="t", html=True)
    text = Template("{{ customer.name }}", where="t")
    values = VALUES | {"customer": {"name": name}}

    shown = page.render(values)

    assert shown.count("<") == shown.count(">") == 2
    assert shown.count('"') == 2
    assert text.render(values) == name


def test_the_fast_way_and_liquids_own_way_give_the_same():
    """A plain field is looked up without Liquid; a filter that does nothing takes its way."""
    for value in ["Ann", "<b>", "a&b", "王", "x" * 500, "'\""]:
        values = {"customer": {"name": value}}
        fast = Template("[{{ customer.name }}]", where="t", html=True).render(values)
        slow = Template("{% if true %}[{{ customer.name }}]{% endif %}", where="t", html=True)
        assert fast == slow.render(values)


def test_a_link_made_of_a_value_opens_on_the_web_or_nowhere(written):
    name = written.writes(
        id="values", channel="hook", message_class="transactional", uses=("profile.city",),
        html='<a href="https://shop.example/{{ profile.city }}">x</a>',
    )  # fmt: skip
    whole = written.writes(
        id="whole", channel="hook", message_class="transactional", uses=("profile.city",),
        html='<a href="{{ profile.city }}">x</a>',
    )  # fmt: skip

    assert "/r/" in written.composes(name, "bao", channel="hook").html
    assert written.composes(whole, "bao", channel="hook") == "content_error"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"id": "A b"}, "content id"),
        ({"message_class": "spam"}, "message_class"),
        ({"channel": ""}, "channel"),
        ({"variants": {}}, "says nothing"),
        ({"variants": {"chinese": Variant(text="x")}}, "no locale"),
        ({"variants": {"en": Variant()}}, "is empty"),
        ({"variants": {"en": Variant(html="<p>x</p>", mjml="<mjml/>")}}, "html and mjml"),
        ({"variants": {"en": Variant(text="x", parameters={"a": "b"})}}, "no template"),
        ({"variants": {"en": Variant(text="a\0b")}}, "U\\+0000"),
        ({"uses": ("customer.phone",)}, "no content may read"),
        ({"defaults": {"profile.city": {"": "x"}}}, "does not use"),
        ({"uses": ("profile.city",), "defaults": {"profile.city": {"": " "}}}, "is empty"),
        ({"products": (Slot("profile", ids=("p",)),)}, "means something"),
        ({"products": (Slot("p"),)}, "either ids or choose"),
        ({"products": (Slot("p", choose="best"),)}, "choose is"),
        ({"products": (Slot("p", ids=("a",), url="https://x.example/"),)}, "must hold"),
        ({"products": (Slot("p", choose="recommended", count=99),)}, "from 1 to"),
    ],
)  # fmt: skip
def test_a_content_that_cannot_be_used_is_refused_with_what_is_wanted(parts, says):
    whole = {"id": "c", "channel": "email", "message_class": "marketing",
             "variants": {"en": Variant(text="x")}} | parts  # fmt: skip
    with pytest.raises(InputError, match=says):
        checked(Content(**whole))
