"""Signed links: nothing but what was signed is ever believed."""

import base64
import hmac
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.reach.links.marking import Utm, checked_url, with_utm
from regulars.reach.links.rewriting import place_in_html, place_in_text
from regulars.reach.links.service import Links
from regulars.reach.links.tokens import Claim, Purpose, Signer, Standing, mark_of

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
LETTERS = string.ascii_letters + string.digits + "-_=+/.%"
TAMPERINGS = 10_000


def tampered(token, draw):
    """One change a stranger could make to a token."""
    way, at = draw.randrange(5), draw.randrange(len(token))
    if way == 0:
        return token[:at] + draw.choice(LETTERS) + token[at + 1 :]
    if way == 1:
        return token[:at] + token[at + 1 :]
    if way == 2:
        return token[:at] + draw.choice(LETTERS) + token[at:]
    if way == 3:
        return token[at:] + token[:at]
    return token + draw.choice(LETTERS) * draw.randrange(1, 4)


def accepted_of(read, tokens, *, seed):
    """How many of the tampered tokens a reader believes."""
    draw = random.Random(seed)
    changed = (tampered(draw.choice(tokens), draw) for _ in range(TAMPERINGS))
    return [token for token in changed if token not in tokens and read(token)]


def made(signer):
    clicks = [signer.sign(Purpose.CLICK, bytes([n]) * 33) for n in range(5)]
    return clicks + [signer.seal(Purpose.SURVEY, "nps", f"c{n}", "k") for n in range(5)]


def believes(signer):
    return lambda token: any(
        signer.read(purpose, token).standing is Standing.GENUINE for purpose in Purpose
    )


def test_of_ten_thousand_tampered_tokens_none_is_believed():
    signer = Signer(SECRET)

    assert accepted_of(believes(signer), made(signer), seed=7) == []


def decoded(token):
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""


class Loose(Signer):
    """Planted: two spellings of one token are both taken."""

    def read(self, purpose, token):
        spelled = base64.urlsafe_b64encode(decoded(token)).rstrip(b"=").decode()
        return super().read(purpose, spelled)


class HeadOnly(Signer):
    """Planted: the body is not under the signature."""

    def sign(self, purpose, body):
        signature = hmac.digest(self._key[1, purpose], self.mark, "sha256")[:16]
        return base64.urlsafe_b64encode(b"\1" + self.mark + body + signature).rstrip(b"=").decode()

    def read(self, purpose, token):
        raw = decoded(token)
        wanted = hmac.digest(self._key[1, purpose], self.mark, "sha256")[:16]
        is_mine = raw[1:5] == self.mark and raw[-16:] == wanted
        return Claim(Standing.GENUINE if is_mine else Standing.TAMPERED)


@pytest.mark.parametrize("planted", [Loose, HeadOnly])
def test_a_signer_that_believes_too_much_is_caught(planted):
    signer = planted(SECRET)

    assert accepted_of(believes(signer), made(signer), seed=7)


def test_a_token_is_nothing_to_another_purpose_or_another_workspace():
    signer, stranger = Signer(SECRET), Signer(OTHER)
    token = signer.seal(Purpose.SURVEY, "nps", "c1", "")

    for purpose in Purpose:
        genuine = signer.read(purpose, token).standing is Standing.GENUINE
        assert genuine == (purpose is Purpose.SURVEY)
        assert stranger.read(purpose, token).standing is Standing.FOREIGN
    assert mark_of(token) == signer.mark != stranger.mark


def test_the_customer_cannot_be_read_in_the_address():
    links = Links(SECRET, base_url="https://go.example")
    urls = [
        links.unsubscribe_url("13800138000", "email", "k1"),
        links.preferences_url("13800138000"),
        links.survey_url("nps", "13800138000"),
        links.click_url("https://shop.example/?phone=13800138000", "00" * 16),
    ]

    for url in urls:
        assert b"13800138000" not in decoded(url.rsplit("/", 1)[1])
        assert "13800138000" not in url
    claim = links.read(Purpose.UNSUBSCRIBE, urls[0].rsplit("/", 1)[1])
    assert claim.texts == ("13800138000", "email", "k1")


def test_links_of_an_old_key_count_until_it_is_given_up():
    old = Signer(SECRET).seal(Purpose.SURVEY, "a")

    assert Signer(SECRET, number=2).read(Purpose.SURVEY, old).texts == ("a",)
    given_up = Signer(SECRET, number=2, oldest=2).read(Purpose.SURVEY, old)
    assert given_up.standing is Standing.TAMPERED
    with pytest.raises(InputError, match="the oldest not above the newest"):
        Signer(SECRET, number=1, oldest=2)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1f"))))
def test_whatever_is_sealed_comes_back_as_it_was(texts):
    signer = Signer(SECRET)
    claim = signer.read(Purpose.SURVEY, signer.seal(Purpose.SURVEY, *texts))

    assert claim.texts == (tuple(texts) or ("",))


@pytest.mark.parametrize("token", ["", "a", "é" * 40, "A" * 3000, "====", "../../etc/passwd", "\0"])
def test_rubbish_is_foreign_and_raises_nothing(token):
    assert Signer(SECRET).read(Purpose.CLICK, token).standing is Standing.FOREIGN


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "/local",
        "https://",
        "https://user:pw@evil.example/",
        "https://shop.example@evil.example/",
        "https://a.example/ b",
        'https://a.example/"><script>',
        "https://a.example/\r\nSet-Cookie: x=1",
        "file:///etc/passwd",
        "https:\\\\evil.example",
        "http://[::1",
        "https://a.example:99999/",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_a_link_opens_on_a_whole_web_address_or_is_refused(url):
    with pytest.raises(InputError, match="link"):
        checked_url(url)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://a.example", "https://a.example?utm_source=s&utm_medium=m"),
        ("https://a.example/?x=1#y", "https://a.example/?x=1&utm_source=s&utm_medium=m#y"),
        ("https://a.example/?utm_medium=mine", "https://a.example/?utm_medium=mine&utm_source=s"),
        ("https://a.example/?q=%E6%98%A5&e=", "https://a.example/?q=%E6%98%A5&e=&utm_source=s&utm_medium=m"),
    ],
)  # fmt: skip
def test_utm_parameters_are_added_and_what_is_there_stays(url, wanted):
    assert with_utm(url, Utm("s", "m")) == wanted


def test_addresses_in_pages_are_found_wherever_a_link_can_stand():
    html = (
        '<link href="https://fonts.example/a.css"><a title="a > b" href=\'https://a.example/1\'>1</a>'
        '<A HREF=https://a.example/2>2</A><area href="https://a.example/1">'
        '<!--[if mso]><v:roundrect href="https://a.example/3"></v:roundrect><![endif]-->'
        '<a data-href="https://a.example/no" href="mailto:x@a.example">m</a>'
    )

    found = place_in_html(html, is_link=lambda u: u.startswith("http"), place=lambda n: f"[{n}]")

    assert found.urls == ("https://a.example/1", "https://a.example/2", "https://a.example/3")
    assert found.text.count("[0]") == 2
    assert "fonts.example/a.css" in found.text
    assert 'data-href="https://a.example/no"' in found.text


def test_addresses_in_texts_end_where_a_sentence_goes_on():
    text = "见https://a.example/x?y=1，或(https://b.example/z)。https://c.example点击"

    found = place_in_text(text, words=None, place=lambda n: f"[{n}]")

    assert found.text == "见[0]，或([1])。[2]点击"
