"""The preference page over HTTP: no script, no cookie; only a POST with our token changes anything."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.govern.consent.choices.confirming.service import ask
from regulars.govern.consent.service import set_consent, show
from regulars.govern.consent.word import Word
from regulars.reach.links.service import Links
from regulars.reach.links.tokens import Purpose
from regulars.serve.public.strikes import MOST_A_MINUTE

GRANTED = datetime(2026, 3, 1, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
LINK_SCANNERS = [
    "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))",
    "Mozilla/5.0 (Windows NT 10.0) SafeLinks",
    "Slackbot-LinkExpanding 1.0",
    "",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory, make_shop, serve):
    folder = tmp_path_factory.mktemp("public") / "shop"
    make_shop.empty(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture
def customer(shop):
    """A customer of his own for each test, who granted everything."""
    name = f"c_{secrets.token_hex(6)}"
    word = Word(name, "marketing", "granted", GRANTED)
    set_consent(shop.home.state, word, actor="test", now=datetime.now(UTC))
    return name


def page_of(shop, customer, kind="p", channel="sms", key="k1"):
    signer = shop.home.links.signer
    if kind == "p":
        return f"/p/{signer.seal(Purpose.PREFERENCES, customer, key)}"
    return f"/u/{signer.seal(Purpose.UNSUBSCRIBE, customer, channel, key)}"


def known(shop, customer):
    return show(shop.home.state, customer, now=datetime.now(UTC))


def status(shop, customer, channel="sms", purpose="marketing"):
    return known(shop, customer).status(purpose, channel=channel).value


def shown_on(page):
    parts = page.split('name="shown" value="')[1:]
    return [part.split('"')[0] for part in parts]


def ticked(page):
    return [
        part.split('"')[0]
        for part in page.split('name="on" value="')[1:]
        if " checked" in part.split(">")[0]
    ]


def test_the_page_shows_what_holds_in_both_languages(shop, customer):
    client = shop.client()
    path = page_of(shop, customer)

    english, chinese = client.get(path).text, client.get(f"{path}?lang=zh-CN").text

    assert ticked(english) == [n for n in shown_on(english)]
    assert shown_on(english)[:2] == ["channel:sms", "channel:app"]
    assert "What would you like to get from us?" in english
    assert "您希望收到什么？" in chinese
    assert "会员价、满减和优惠券" in chinese
    assert 'lang="zh-CN"' in chinese


def test_saving_changes_what_was_unticked_and_says_what_happens_now(shop, customer):
    client, path = shop.client(), page_of(shop, customer)
    page = client.get(path).text
    keep = [n for n in ticked(page) if n not in {"channel:sms", "topic:news", "use:profiling"}]

    answer = client.post(path, data={"shown": shown_on(page), "on": keep, "do": "save"})

    assert answer.status_code == 200
    assert "It counts from this moment on" in answer.text
    assert ticked(answer.text) == keep
    assert status(shop, customer) == "withdrawn"
    assert status(shop, customer, "app") == "granted"
    assert status(shop, customer, "*", "profiling") == "withdrawn"
    rows = known(shop, customer).changes[:3]
    assert {row.source for row in rows} == {"preference_page"}
    assert all("of contact k1" in row.evidence for row in rows)
    assert path.removeprefix("/p/") not in str(rows)
    assert (
        "Nothing had to be changed"
        in client.post(path, data={"shown": shown_on(page), "on": keep, "do": "save"}).text
    )


def test_one_button_stops_everything(shop, customer):
    answer = shop.client().post(page_of(shop, customer), data={"do": "stop_all"})

    assert "you get no offers and no news" in answer.text
    assert {status(shop, customer, name) for name in ("sms", "app")} == {"withdrawn"}


def test_one_click_needs_no_cookie_no_sign_in_and_no_redirect(shop, customer):
    path = page_of(shop, customer, "u")

    answers = [httpx.post(shop.url + path, data=ONE_CLICK) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert answers[0].text == answers[1].text
    assert status(shop, customer) == "withdrawn"
    assert status(shop, customer, "app") == "granted"
    assert len(known(shop, customer).changes) == 2


def test_one_click_may_come_as_multipart_from_another_site(shop, customer):
    parts = {name: (None, value) for name, value in ONE_CLICK.items()}

    answer = httpx.post(
        shop.url + page_of(shop, customer, "u"),
        files=parts,
        headers={"sec-fetch-site": "cross-site", "origin": "https://mail.example"},
    )

    assert answer.status_code == 200
    assert status(shop, customer) == "withdrawn"


@pytest.mark.parametrize("agent", LINK_SCANNERS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("kind", ["u", "p"])
def test_a_program_that_follows_links_never_unsubscribes(shop, customer, agent, method, kind):
    path = page_of(shop, customer, kind)

    for address in (path, f"{path}?List-Unsubscribe=One-Click&do=stop_all"):
        httpx.request(method, shop.url + address, headers={"user-agent": agent})

    assert status(shop, customer) == "granted"
    assert len(known(shop, customer).changes) == 1


def test_a_post_without_the_pair_changes_nothing_and_shows_the_button(shop, customer):
    path = page_of(shop, customer, "u")

    for body in (b"", b"List-Unsubscribe=Maybe", b"x=1", b"\xff" * 50):
        answer = httpx.post(shop.url + path, content=body)
        assert answer.status_code == 400
        assert 'value="One-Click"' in answer.text

    assert status(shop, customer) == "granted"


def test_the_button_of_the_page_sends_what_a_mail_client_sends(shop, customer):
    client, path = shop.client(), page_of(shop, customer, "u")
    page = client.get(path)

    assert 'name="List-Unsubscribe" value="One-Click"' in page.text
    assert page.text.count("<button") == 1
    done = client.post(path, data=ONE_CLICK).text
    assert client.get(done.split('<a href="')[-1].split('"')[0]).status_code == 200


def test_pages_have_no_script_no_cookie_and_tell_nobody_their_address(shop, customer):
    client = shop.client("admin")
    answer = client.get(page_of(shop, customer) + "?lang=zh-CN")

    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_a_signed_in_user_of_the_console_is_nobody_here(shop, customer):
    client = shop.client("admin")
    client.post(page_of(shop, customer, "u"), data=ONE_CLICK)

    assert known(shop, customer).changes[0].actor == "customer"


@pytest.mark.parametrize("kind", ["p", "u", "c"])
def test_a_forged_or_foreign_or_borrowed_token_leads_nowhere(shop, customer, kind):
    purpose = {"p": Purpose.PREFERENCES, "u": Purpose.UNSUBSCRIBE, "c": Purpose.CONFIRM}[kind]
    other = Links(secrets.token_bytes(32), base_url="").signer
    good = shop.home.links.signer.seal(purpose, customer, "sms", "k1")
    borrowed = shop.home.links.signer.seal(Purpose.SURVEY, customer, "sms", "k1")
    flipped = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    forged = [other.seal(purpose, customer, "sms", "k1"), borrowed, flipped, "x", good + "=", "%00"]

    for token in forged:
        for method in ("GET", "POST"):
            answer = httpx.request(method, f"{shop.url}/{kind}/{token}", data=ONE_CLICK)
            assert answer.status_code in {404, 429}

    assert status(shop, customer) == "granted"


def test_guessing_is_slowed_down_and_genuine_links_still_open(shop, customer):
    codes = [httpx.get(f"{shop.url}/u/guess{n}").status_code for n in range(MOST_A_MINUTE * 2 + 2)]

    assert 429 in codes
    assert set(codes) <= {404, 429}
    assert httpx.get(shop.url + page_of(shop, customer)).status_code == 200


def test_of_100_000_forged_tokens_none_is_believed(shop, customer):
    """Tokens with the right mark and length: only the 128 bits of the signature are wrong."""
    signer = shop.home.links.signer
    good = signer.seal(Purpose.UNSUBSCRIBE, customer, "sms", "k1")
    raw = urlsafe_b64decode(good + "=" * (-len(good) % 4))
    assert signer.read(Purpose.UNSUBSCRIBE, good).standing == "genuine"

    believed = 0
    for _ in range(100_000):
        forged = raw[:-16] + secrets.token_bytes(16)
        token = urlsafe_b64encode(forged).rstrip(b"=").decode()
        believed += signer.read(Purpose.UNSUBSCRIBE, token).standing == "genuine"

    assert believed == 0


@given(token=st.text(alphabet="ABCDEFabcdef0123456789-_.~%", min_size=1, max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_the_address_the_answer_is_never_an_error_of_ours(shop, token):
    answer = httpx.post(f"{shop.url}/u/{token}", data=ONE_CLICK)

    assert answer.status_code in {400, 401, 403, 404, 405, 429, 303}


def test_a_grant_that_waits_holds_after_the_button_and_not_after_looking(shop):
    name = f"c_{secrets.token_hex(6)}"
    now = datetime.now(UTC)
    word_id = ask(shop.home.state, Word(name, "marketing", "granted", now, channel="sms"), now=now)
    path = f"/c/{shop.home.links.signer.seal(Purpose.CONFIRM, word_id)}"
    client = shop.client()

    assert "Was this you?" in client.get(path).text
    assert status(shop, name) == "none"
    assert "Thank you" in client.post(path).text
    assert status(shop, name) == "granted"
    unknown = f"/c/{shop.home.links.signer.seal(Purpose.CONFIRM, '0' * 32)}"
    assert client.post(unknown).status_code == 404


def test_a_customer_id_cannot_be_read_from_a_link(shop, customer):
    assert customer not in page_of(shop, customer)
    assert "sms" not in page_of(shop, customer, "u")
