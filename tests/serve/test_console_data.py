"""The pages about data, on a server that takes real events in: keys, stream, quarantine."""

import html
import json
import re
from datetime import UTC, datetime

import httpx
import pytest

from regulars.app import open_app
from regulars.collect.connectors.unreadable.service import keep_unreadable
from regulars.collect.sources.service import UnreadableFile
from regulars.govern.audit.service import newest

PHONE, EMAIL, DEVICE = "13911112222", "ann.lee@example.com", "device-0123456789"


def text_of(page):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def event(message_id, **fields):
    return {"type": "track", "event": "Product Viewed", "messageId": message_id} | fields


def counts_of(live, source):
    page = live.client("viewer").get("/data").text
    row = re.search(rf"<tr><th[^>]*><a[^>]*>{source}</a></th>(.*?)</tr>", page, re.S)
    return [int(n) for n in re.findall(r">(\d+)<", row[1])] if row else []


def listed(live, **sought):
    fields = {"event": "", "identifier": "", "source": "", "type": ""} | sought
    return live.post("viewer", "/data/events/search", **fields).text


def refused_of(live, source, status="open"):
    page = live.client("viewer").get(f"/data/quarantine?status={status}&source={source}").text
    return re.findall(r'href="/data/quarantine/([\w-]+)"', page)


def audited(live, action):
    return [entry for entry in newest(open_app(live.folder).state) if entry.action == action]


@pytest.fixture(scope="module")
def web(live, make_key):
    """A source that has sent six events: four good ones, one twice, one that names nobody."""
    key = make_key("web")
    live.send(
        key,
        event("m1", userId="c001", anonymousId=DEVICE, properties={"phone": PHONE}),
        event("m2", userId=PHONE, event="Coupon Claimed"),
        event("m3", anonymousId=DEVICE, type="page", event="Home", context={"userAgent": "curl/8"}),
        event("m3", anonymousId=DEVICE, type="page", event="Home"),
        event("m4", userId="c002", timestamp="2020-01-01T00:00:00Z", traits={"email": EMAIL}),
        event("m5", properties={"email": EMAIL, "total": 88}),
    )
    live.until(lambda: counts_of(live, "web") == [6, 4, 1, 1, 0])
    return key


def test_every_event_is_accounted_for_to_the_unit(live, web):
    said = text_of(live.client("viewer").get("/data").text)

    assert "Received = stored + duplicate + quarantined + suppressed, to the unit" in said
    assert "web 6 4 1 1 0 yes" in said


def test_scores_stand_beside_the_counts_they_come_from(live, web):
    said = text_of(live.client("viewer").get("/data").text)

    assert "web Uniqueness 83% what had not come before received 6 · duplicates 1" in said


def test_a_file_that_could_not_be_read_is_named_until_it_can_be(live):
    state, path = open_app(live.folder).state, live.folder / "drop" / "b.json"
    apart = [UnreadableFile(path, f"line 2: {PHONE} is no JSON", 2)]
    keep_unreadable(
        state, "views", apart, folder=live.folder, now=datetime(2026, 11, 5, tzinfo=UTC)
    )
    said = text_of(live.client("viewer").get("/data").text)
    keep_unreadable(state, "views", [], folder=live.folder, now=datetime(2026, 11, 6, tzinfo=UTC))
    after = text_of(live.client("viewer").get("/data").text)

    assert "Files that could not be read" in said
    assert "views drop/b.json 2 line 2: " in said
    assert PHONE not in said
    assert "Files that could not be read" not in after


def test_a_key_is_shown_once_and_only_its_hash_is_kept(live, make_key):
    key = make_key("once")

    page = live.client("admin").get("/data").text

    assert key not in page
    assert key[:9] in page
    assert key not in (live.folder / "state.db").read_bytes().decode("latin-1")
    assert audited(live, "write_key.add")[0].actor == "admin"


def test_a_revoked_key_is_refused_at_once(live, make_key):
    key = make_key("gone")
    done = live.post("admin", "/data/keys/revoke", source="gone", hint=key[:9])

    assert done.headers["location"] == "/data?said=key_revoked#keys"
    live.until(
        lambda: (
            httpx.post(f"{live.url}/v1/track", auth=(key, ""), json=event("g1")).status_code == 401
        )
    )


def test_a_source_that_cannot_be_named_so_is_explained(live):
    page = live.post("admin", "/data/keys", source="~odd name")

    assert page.status_code == 400
    assert "No key was made. A source is named by 1 to 64 letters" in text_of(page.text)


@pytest.mark.parametrize("role", ["viewer", "analyst", "marketer", "approver"])
def test_only_admins_make_and_revoke_keys(live, web, role):
    page = live.client(role).get("/data").text

    assert live.post(role, "/data/keys", source="x").status_code == 403
    assert live.post(role, "/data/keys/revoke", source="web", hint=web[:9]).status_code == 403
    assert "/data/keys" not in re.findall(r'action="([^"]*)"', page)


def test_the_stream_shows_who_it_is_masked_and_flags_what_is_odd(live, web):
    page = listed(live, source="web")
    said = text_of(page)

    assert re.search(r"Coupon Claimed Action 139\*\*\*\*2222", said)
    assert re.search(r"Home Page view script \*\*\*\*89", said)
    assert re.search(r"Product Viewed Action late c002", said)
    assert not [one for one in (PHONE, EMAIL, DEVICE, "tok_") if one in page]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"identifier": PHONE}, ["m1", "m2"]),
        ({"identifier": "+86 139-1111-2222"}, ["m1", "m2"]),
        ({"identifier": EMAIL}, ["m4"]),
        ({"identifier": DEVICE}, ["m1", "m3"]),
        ({"identifier": "2222"}, []),
        ({"event": "coupon"}, ["m2"]),
        ({"type": "page"}, ["m3"]),
        ({"source": "nowhere"}, []),
        ({"event": "%'; drop table events --"}, []),
    ],
)
def test_events_are_found_by_name_source_kind_and_whole_identifier(live, web, sought, found):
    page = listed(live, **({"source": "web"} | sought))

    assert sorted(set(re.findall(r"&(?:amp;)?id=(m\d)", page))) == found


def test_a_search_never_puts_an_identifier_in_an_address(live, web):
    page = listed(live, identifier=PHONE)

    assert not re.findall(rf'(?:href|action|hx-[a-z]+)="[^"]*{PHONE}', page)


def test_one_event_is_told_whole_with_what_names_somebody_masked(live, web):
    page = live.client("viewer").get("/data/events/one?source=web&id=m1").text
    payload = json.loads(html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", page, re.S)[1]))

    assert payload["properties"]["phone"] == "139****2222"
    assert payload["anonymousId"] == "****89"
    assert payload["userId"] == "c001"
    assert live.client("viewer").get("/data/events/one?source=web&id=no").status_code == 404


def test_a_refused_event_says_why_and_is_covered(live, web):
    [refused_id] = refused_of(live, "web")
    page = live.client("viewer").get(f"/data/quarantine/{refused_id}").text
    said = text_of(page)

    assert "nobody named · userId Give the event a customer id or a device id." in said
    assert '"email": "xxx.xxx@xxxxxxx.xxx", "total": 99' in said
    assert EMAIL not in page
    assert "Show it clear and mend it" not in said


def test_a_viewer_can_neither_uncover_nor_mend_nor_replay_nor_dismiss(live, web):
    [refused_id] = refused_of(live, "web")
    for path in (f"{refused_id}/{what}" for what in ("reveal", "mend", "dismiss", "reopen")):
        assert live.post("viewer", f"/data/quarantine/{path}", text="{}").status_code == 403
    assert live.post("viewer", "/data/quarantine/replay", source="web").status_code == 403
    assert refused_of(live, "web") == [refused_id]


def test_a_refused_event_is_uncovered_mended_and_stored_once(live, make_key):
    live.send(make_key("mended"), event("n1", properties={"email": EMAIL}))
    [refused_id] = live.until(lambda: refused_of(live, "mended"))
    at = f"/data/quarantine/{refused_id}"

    clear = live.post("analyst", f"{at}/reveal").text
    text = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", clear, re.S)[1])
    still = live.post("analyst", f"{at}/mend", text="not json")
    mended = json.dumps(json.loads(text) | {"userId": "c005"})
    done = live.post("analyst", f"{at}/mend", text=mended)
    live.until(lambda: counts_of(live, "mended")[1:4] == [1, 0, 0])

    assert json.loads(text)["properties"]["email"] == EMAIL
    assert still.status_code == 400
    assert "Not accepted yet: not readable as JSON" in text_of(still.text)
    assert done.headers["location"] == f"{at}?said=replay_asked"
    assert "Stored. It counts like any other event now." in text_of(
        live.client("viewer").get(at).text
    )
    assert live.post("analyst", f"{at}/mend", text=mended).status_code == 400, "only once"
    assert [entry.subject for entry in audited(live, "refused_event.reveal")] == [refused_id]
    assert [entry.subject for entry in audited(live, "refused_event.mend")] == [refused_id]
    assert EMAIL not in str(audited(live, "refused_event.mend"))


def test_a_whole_reason_is_replayed_and_held_back_again_while_nothing_changed(live, make_key):
    live.send(make_key("again"), event("r1"), event("r2"))
    live.until(lambda: len(refused_of(live, "again")) == 2)

    done = live.post("analyst", "/data/quarantine/replay", source="again", reason="no_id")
    none = live.post("analyst", "/data/quarantine/replay", source="again", reason="other")

    assert done.headers["location"] == "/data/quarantine?status=requested&said=replay_asked"
    assert none.headers["location"].endswith("said=nothing_to_replay")
    live.until(lambda: len(refused_of(live, "again")) == 2)
    assert counts_of(live, "again")[:4] == [2, 0, 0, 2]


def test_a_dismissal_needs_a_reason_and_can_be_taken_back(live, make_key):
    live.send(make_key("aside"), event("d1"))
    [refused_id] = live.until(lambda: refused_of(live, "aside"))
    at = f"/data/quarantine/{refused_id}"

    without = live.post("analyst", f"{at}/dismiss", why=" ")
    done = live.post("analyst", f"{at}/dismiss", why="a test of ours")
    gone, aside = refused_of(live, "aside"), refused_of(live, "aside", "dismissed")
    live.post("analyst", f"{at}/reopen")

    assert without.status_code == 400
    assert done.status_code == 303
    assert (gone, aside) == ([], [refused_id])
    assert refused_of(live, "aside") == [refused_id]
    assert "a test of ours" in audited(live, "refused_event.dismiss")[0].detail
    assert live.post("analyst", f"{at}/reopen").status_code == 400, "it is open already"


def test_planted_markup_in_events_stays_text(live, make_key):
    name = "<script>window.xss=1</script>"
    live.send(make_key("planted"), event("x1", userId="c009", event=name))
    page = live.until(lambda: (p := listed(live, source="planted")).count("window.xss") and p)

    assert "<script>window.xss" not in page
    assert "&lt;script&gt;window.xss" in page


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/data", "Create a key for the first one below"),
        ("/data/events", "Point a client here and do something in it"),
        ("/data/quarantine", "Every event that arrived could be stored"),
    ],
)
def test_a_new_workspace_says_what_to_do(empty_server, path, says):
    page = empty_server.client("admin").get(path)

    assert page.status_code == 200
    assert says in text_of(page.text)


def test_a_drain_that_is_silent_is_told(make_shop, serve, tmp_path):
    app = make_shop.empty(tmp_path / "shop")
    drain = app.drain()
    drain.say(1_700_000_000_000_000, at_once=True)
    drain.close()
    with serve(tmp_path / "shop") as server:
        for path in ("/data", "/data/events"):
            said = text_of(server.client("viewer").get(path).text)

            assert "The drain has been silent since 2023-11-15 06:13" in said


@pytest.mark.parametrize(
    "path", ["/data/quarantine/0-0-0", "/data/quarantine/nothing", "/data/events/one"]
)
def test_what_is_not_there_is_not_found(live, path):
    assert live.client("viewer").get(path).status_code == 404


def test_an_admin_gives_out_a_key_for_pages_sees_its_secret_once_and_ends_it(empty_server):
    client = empty_server.client("admin")
    token = {"csrf_token": empty_server.csrf(client)}

    wrong = client.post("/data/publishable-keys", data=token | {"name": "mall", "page_origins": ""})
    made = client.post(
        "/data/publishable-keys",
        data=token | {"name": "mall", "page_origins": "https://mall.example"},
    ).text
    later = client.get("/data").text
    ended = client.post("/data/publishable-keys/revoke", data=token | {"name": "mall"})

    assert (wrong.status_code, "none is given" in wrong.text) == (400, True)
    [key] = re.findall(r'id="new-publishable" value="(pk_\w+)"', made)
    assert re.search(r'id="new-secret" value="ps_\w{64}"', made)
    assert f"data-key=&#34;{key}&#34;" in later or f'data-key="{key}"' in later
    assert ("ps_" in later, "https://mall.example" in later) == (False, True)
    assert (ended.status_code, ended.headers["location"]) == (
        303,
        "/data?said=key_revoked#page-keys",
    )
    assert f'data-key="{key}"' not in client.get("/data").text
