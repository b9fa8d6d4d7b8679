"""Whatever is written as a template is rendered or refused; nothing else ever comes of it."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.reach.content.compiled import Sender, compiled
from regulars.reach.content.definition import Content, Slot, Variant, checked
from regulars.reach.content.templating.filters import FILTERS
from regulars.reach.content.templating.template import RenderError, Template

NAMES = ["customer.name", "profile.city", "profile.orders", "tags", "product.price", "picks", "one",
         "one.name", "today", "x", "forloop.index", "nil", "true", "'a'", "3", "-2.5", "(1..3)"]  # fmt: skip
VALUES = {
    "customer": {"name": "王<b>"},
    "profile": {"city": "上海", "orders": 3, "monetary": Decimal("1.50")},
    "tags": ["VIP", "常客"],
    "product": {
        "name": "茶",
        "price": Decimal("88.00"),
        "stock": 4,
        "url": "https://shop.example/p",
    },
    "picks": [{"name": "a"}, {"name": "b"}],
    "today": date(2026, 3, 2),
    "_locale": "zh-CN",
    "_currency": "CNY",
}
names = st.sampled_from(NAMES)
arguments = st.lists(names, max_size=2).map(", ".join)
filters = st.builds(
    lambda name, given: f"{name}: {given}" if given else name,
    st.sampled_from(sorted(FILTERS)),
    arguments,
)
outputs = st.builds(
    lambda name, used: "{{ " + " | ".join([name, *used]) + " }}",
    names,
    st.lists(filters, max_size=4),
)
tags = st.one_of(
    st.builds("{{% if {} %}}".format, names),
    st.builds("{{% if {} == {} and {} contains {} %}}".format, names, names, names, names),
    st.builds("{{% for one in {} limit: {} %}}".format, names, names),
    st.builds("{{% assign x = {} | {} %}}".format, names, filters),
    st.builds("{{% case {} %}}{{% when {} %}}".format, names, names),
    st.sampled_from([
        "{% endif %}", "{% else %}", "{% endfor %}", "{% capture x %}", "{% endcapture %}", "{% endcase %}",
        "{% break %}", "{% cycle 'a', 'b' %}", "{% comment %}", "{% endcomment %}", "{% unless x %}", "{% endunless %}",
        "{%", "%}", "{{", "}}", "{% # x %}", "{%- if x -%}", "\u2028", "{% liquid %}",
    ]),
)  # fmt: skip
markup = st.sampled_from([
    "<p>", "</p>", "<a href='https://shop.example/", "'>", "<a href=\"", "\">", "</a>", "<td ", ">", "<style>", "</style>",
    "<!--", "-->", "<img src='", "&amp;", "&#123;&#123;", "<", "</body>", "https://shop.example/x?y=", "文字", " ", "\n",
])  # fmt: skip
templates = st.lists(st.one_of(outputs, tags, markup), max_size=12).map("".join)
thorough = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(source=templates)
def test_a_template_is_rendered_or_refused(source):
    for html in (True, False):
        try:
            text = Template(source, where="fuzz", html=html).render(VALUES)
        except (InputError, RenderError):
            continue
        assert "{{" not in text
        assert "{%" not in text


@thorough
@given(page=templates, text=templates, link=templates)
def test_a_content_is_compiled_or_refused(page, text, link):
    content = Content(
        "c", "email", "marketing", {"zh-CN": Variant(subject=text, html=page, text=text, link=link)},
        ("customer.name", "profile.city", "profile.orders", "tags"),
        products=(Slot("product", ids=("p",)), Slot("picks", choose="recommended", count=2)),
    )  # fmt: skip
    try:
        made = compiled(checked(content), "zh-CN", Sender("街角", is_mail=True, trap=True))
    except InputError:
        return

    assert made.paths <= {
        "customer.name", "profile.city", "profile.orders", "tags", "today", "picks",
        *(f"product.{name}" for name in ("id", "name", "brand", "category", "price", "stock", "url")),
    }  # fmt: skip
    assert "unsubscribe_url" in made.needs


@thorough
@given(st.text(max_size=80))
def test_any_text_at_all_is_rendered_or_refused(source):
    try:
        Template(source, where="fuzz").render(VALUES)
    except (InputError, RenderError):
        return
    assert "{{" not in source
