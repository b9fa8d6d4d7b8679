"""What the pages show and hide: masking, decisions with reasons, sums that add up."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from regulars.govern.audit.service import anchor as sign_head
from regulars.govern.audit.service import newest, record
from regulars.serve.http.measure import programme
from regulars.serve.http.reach import ledger
from regulars.serve.http.unify.customers import find_customers

CLEAR = ("王小1<", "13800130001", "wang1@example.com", "wx_abc0001")


def text_of(html):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.parametrize(
    "path",
    [
        "/customers",
        "/customers?sort=customer_id",
        "/customers/c001",
        "/api/unify/customers?sort=customer_id",
        "/api/unify/customers/c001",
        "/api/unify/customers/c001/timeline",
    ],
)
@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_contact_data_is_masked_until_uncovered(server, role, path):
    answer = server.client(role).get(path).text

    assert not [value for value in CLEAR if value in answer]
    assert re.search(r"1380013\d{4}", answer) is None


def test_uncovering_shows_the_data_and_leaves_a_signed_entry(make_shop, serve, tmp_path):
    make_shop.filled(tmp_path / "shop")
    with serve(tmp_path / "shop") as server:
        client = server.client("analyst")
        token = server.csrf(client)

        page = client.post("/customers/c001/reveal", data={"csrf_token": token})
        answer = client.post("/api/unify/customers/c001/reveal", headers={"x-csrf-token": token})

        assert "13800130001" in page.text
        assert answer.json()["contact_data"]["phone"] == "13800130001"
        first, second = newest(server.home.state, size=2)
        assert (first.actor, first.action, first.subject) == ("analyst", "customer.reveal", "c001")
        assert second.action == "customer.reveal"
        assert "13800130001" not in first.detail
        assert client.get("/api/govern/audit").json()["anchored_to"] == first.number


def test_a_viewer_can_neither_uncover_nor_see_the_button(server):
    client = server.client("viewer")
    before = newest(server.home.state, size=1)[0].number

    page = client.post("/customers/c001/reveal", data={"csrf_token": server.csrf(client)})

    assert page.status_code == 403
    assert "13800130001" not in page.text
    assert "Show contact data" not in client.get("/customers/c001").text
    assert newest(server.home.state, size=1)[0].number == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("c001", ["c001"]),
        ("C01", [f"c01{n}" for n in range(10)]),
        ("王小7", ["c007"]),
        ("王小", []),
        ("13800130009", ["c009"]),
        ("+86 138-0013-0009", ["c009"]),
        ("0009", ["c009"]),
        ("013000", []),
        ("'; drop table users --", []),
        ("%", []),
    ],
)
def test_customers_are_found_by_id_whole_name_and_whole_number(server, text, found):
    with server.home.reading() as engine:
        page = find_customers(engine, text=text, sort="customer_id")

    assert [row.customer_id for row in page.rows] == found


def test_pages_cover_everybody_once_in_the_order_asked_for(server, make_shop):
    with server.home.reading() as engine:
        pages = [find_customers(engine, sort="value", page=n) for n in (1, 2, 3, 99)]

    ids = [row.customer_id for page in pages[:3] for row in page.rows]
    values = [row.residual_value for page in pages[:3] for row in page.rows]
    assert len(set(ids)) == make_shop.customers
    assert values == sorted(values, reverse=True)
    assert (pages[3].page, pages[3].pages) == (3, 3)


def test_a_search_never_puts_a_phone_number_in_an_address(server):
    client = server.client("viewer")
    page = client.post(
        "/customers/search", data={"text": "13800130009", "csrf_token": server.csrf(client)}
    )

    assert "c009" in page.text
    assert not re.findall(r'(?:href|action|hx-[a-z]+)="[^"]*1380013', page.text)


def test_part_of_a_phone_number_finds_nobody_so_that_it_cannot_be_guessed_digit_by_digit(server):
    client = server.client("viewer")

    def found(text):
        page = client.post(
            "/customers/search", data={"text": text, "csrf_token": server.csrf(client)}
        )
        return "c009" in page.text

    assert found("13800130009")
    assert not found("0130009")
    assert not found("800130009")


def test_names_from_files_cannot_become_markup(server):
    client = server.client("admin")
    page = client.post("/customers/c003/reveal", data={"csrf_token": server.csrf(client)})

    assert "<script>window.xss" not in page.text
    assert "&lt;script&gt;window.xss" in page.text


def test_home_says_what_was_caused_how_sure_and_that_nothing_is_claimed(server):
    said = text_of(server.client("viewer").get("/").text)

    assert "+¥1,234" in said
    assert "90% interval −¥100.25 to +¥2,569" in said
    assert "Smallest effect we could see ¥900.00" in said
    assert "Nothing is claimed" in said
    assert "Turn 2, looking back from 2026-03-01: closed" in said
    assert "intact" in said


def test_the_net_is_the_margin_minus_the_contact_cost_of_the_same_turns(server):
    with server.home.reading() as engine:
        found = programme(engine)

    assert found.net == pytest.approx(1234.5 - 10 * 0.05)


def test_a_reason_nobody_named_is_shown_as_it_came(server):
    said = text_of(server.client("viewer").get("/").text)

    assert "isv.AMOUNT_NOT_ENOUGH" in said
    assert "strange_new_reason" in said


def test_the_fates_of_a_turn_add_up_to_its_audience(server, make_shop):
    with server.home.reading() as engine:
        found = ledger(engine)

    assert found.turn == 2
    assert found.eligible == sum(count.customers for count in found.fates) == make_shop.customers


def test_home_says_so_when_fates_do_not_add_up(make_shop, serve, tmp_path):
    app = make_shop.filled(tmp_path / "shop")
    make_shop.put(
        app,
        "contacts",
        [{"key": "k", "customer_id": "c001", "fate": "sent", "reason": "handed_over"}],
        turn=2,
    )
    with serve(tmp_path / "shop") as server:
        assert "add up to 1, not to the audience" in text_of(server.client("viewer").get("/").text)


def test_the_decision_not_to_contact_is_told_with_its_reason(server):
    said = text_of(server.client("viewer").get("/customers/c002").text)

    assert "Turn 2 Left alone no offer was worth its cost" in said
    assert "新品快讯 App push +¥0.40 ¥0.01 ¥0.00 10%" in said


def test_what_was_ruled_out_is_told_with_its_reason(server):
    said = text_of(server.client("viewer").get("/customers/c000").text)

    assert "Skipped no consent recorded for this channel" in said
    assert "no consent recorded for this channel 新品快讯 by SMS · 九折券 by SMS" in said


def test_the_timeline_joins_orders_contacts_responses_and_consent(server):
    said = text_of(server.client("viewer").get("/customers/c001").text)
    told = said[said.index("What happened") :]

    assert [word for word in re.findall(r"Response|Contact|Order|Consent", told)] == [
        "Response",
        "Contact",
        "Contact",
        "Order",
        "Order",
        "Order",
        "Consent",
    ]
    assert "2026-02-23 13:00" in told, "moments are told in the zone of the shop"


def test_an_effect_that_must_not_be_read_shows_no_number(server):
    answer = server.client("viewer").get("/api/measure/campaigns/off10-001").json()
    said = text_of(server.client("viewer").get("/campaigns?turn=1").text)

    assert [effect["estimate"] for effect in answer["effects"]] == [None] * 4
    assert "not readable: too few customers" in said


def test_campaigns_show_expected_beside_measured(server):
    said = text_of(server.client("viewer").get("/campaigns?turn=1").text)

    assert "新品快讯 20 5 5 ¥0.25 +¥18.00 +¥21.50 −¥8.25 to +¥51.00" in said


def test_a_changed_audit_log_is_shown_on_home(make_shop, serve, tmp_path):
    app = make_shop.filled(tmp_path / "shop")
    with app.state.transaction() as transaction:
        transaction.run("update audit_log set actor = 'eve' where number = 2")
    with serve(tmp_path / "shop") as server:
        said = text_of(server.client("viewer").get("/").text)

        assert "changed at entry 2" in said
        assert server.client("viewer").get("/api/govern/audit").json()["is_intact"] is False


def test_an_interrupted_turn_is_shown_with_what_to_do(make_shop, serve, tmp_path):
    app = make_shop.filled(tmp_path / "shop")
    with app.state.transaction() as transaction:
        transaction.run("update turns set status = 'open' where number = 2")
    with serve(tmp_path / "shop") as server:
        assert "The turn was interrupted. Continue it with: regulars run" in text_of(
            server.client("viewer").get("/").text
        )


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "regulars collect import FILES"),
        ("/customers", "No customers yet"),
        ("/campaigns", "No campaigns yet"),
    ],
)
def test_a_new_workspace_says_what_to_do(empty_server, path, says):
    page = empty_server.client("viewer").get(path)

    assert page.status_code == 200
    assert says in text_of(page.text)


@pytest.mark.parametrize(
    "path",
    [
        "/customers/nobody",
        "/campaigns/nothing-001",
        "/nothing",
        "/api/unify/customers/nobody",
        "/api/measure/campaigns/nothing-001",
    ],
)
def test_what_is_not_there_is_not_found(server, path):
    assert server.client("viewer").get(path).status_code == 404


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=99999999999", "sort=drop", "page=²"]
)
def test_odd_addresses_still_give_a_page(server, query):
    assert server.client("viewer").get(f"/customers?{query}").status_code == 200


def test_what_the_api_does_not_understand_is_explained(server):
    client = server.client("viewer")
    answer = client.post(
        "/api/unify/customers/search",
        json={"text": "x", "role": "admin"},
        headers={"x-csrf-token": server.csrf(client)},
    )

    assert answer.status_code == 400
    assert "body.role: Extra inputs are not permitted" in answer.json()["error"]["message"]


def test_money_is_never_a_float_in_json(server):
    fates = server.client("viewer").get("/api/reach/turns/2/fates").json()

    assert fates["spend"] == "0.50"


def test_a_demo_serves_its_workspaces_and_switches_between_them(make_shop, serve, tmp_path):
    make_shop.filled(tmp_path / "twin")
    make_shop.empty(tmp_path / "grocer")
    with serve(tmp_path) as server:
        client = server.client("viewer")

        assert "Turn 2, looking back" in client.get("/").text
        assert "No data yet" in client.get("/?workspace=grocer").text
        assert "No customers yet" in client.get("/customers").text
        assert (
            client.get("/api/unify/customers?workspace=twin").json()["total"] == make_shop.customers
        )
        assert "Turn 2, looking back" in client.get("/?workspace=unheard-of").text


def test_two_workspaces_never_share_users(make_shop, serve, tmp_path):
    make_shop.filled(tmp_path / "twin")
    app = make_shop.empty(tmp_path / "grocer")
    with app.state.transaction() as transaction:
        transaction.run("update users set name = 'grocer-only' where name = 'viewer'")
    with serve(tmp_path) as server:
        assert server.sign_in(server.client(), "grocer-only").status_code == 401


def test_the_api_describes_itself(server):
    described = server.client("viewer").get("/openapi.json").json()

    assert "/api/measure/programme" in described["paths"]


def test_many_readers_at_once_all_get_whole_answers(server):
    client = server.client("viewer")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.get(f"/api/decide/customers/c{n:03}"), range(24)))

    assert [answer.status_code for answer in answers] == [200] * 24
    assert all(len(answer.json()) == 2 for answer in answers)


def test_a_failure_inside_shows_a_page_without_its_insides(make_shop, serve, tmp_path):
    app = make_shop.filled(tmp_path / "shop")
    with serve(tmp_path / "shop") as server:
        client = server.client("viewer")
        for file in app.lake.files("orders"):
            Path(file).write_bytes(b"not parquet")

        page = client.get("/")

        assert page.status_code == 500
        assert "Something broke" in page.text
        assert "Traceback" not in page.text
        assert str(tmp_path) not in page.text


def test_entries_of_the_log_are_paged(make_shop, serve, tmp_path):
    app = make_shop.empty(tmp_path / "shop")
    for n in range(60):
        with app.state.transaction() as transaction:
            record(
                transaction,
                actor="test",
                action="x.y",
                subject=str(n),
                detail={},
                at=datetime(2026, 3, 2, tzinfo=UTC),
            )
    sign_head(app.state, folder=app.folder, at=datetime(2026, 3, 2, tzinfo=UTC))
    with serve(tmp_path / "shop") as server:
        client = server.client("admin")
        first = client.get("/api/govern/audit/entries").json()
        second = client.get(f"/api/govern/audit/entries?before={first[-1]['number']}").json()

        assert [len(first), first[-1]["number"] - 1] == [50, second[0]["number"]]
