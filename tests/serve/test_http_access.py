"""The door: role matrix, sessions, CSRF, headers; on a real server."""

import asyncio
import copy
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from regulars.govern.access import ANYONE, PUBLISHED, SIGNED, Role, RoleMatrix
from regulars.govern.access.service import disable_user, set_password
from regulars.govern.audit.service import newest, verify
from regulars.serve.http.door.guard import HEADERS
from regulars.serve.http.door.role_matrix import ROLE_MATRIX

SNAPSHOT = Path(__file__).with_name("role_matrix.txt")
CALLERS = [None, *Role]
MEANING = {204: "allowed", 303: "sign in", 401: "sign in", 403: "refused"}
SAMPLE = {"{customer_id}": "c001", "{campaign_id}": "news-001", "{turn}": "1"}


def routes_of(server):
    """Every route of the application, as "METHOD /path"."""
    found = []
    for route in server.web.routes:
        methods = {"GET"} if isinstance(route, Mount) else route.methods - {"HEAD"}
        found += [f"{method} {route.path}" for method in sorted(methods)]
    return found


async def answers_behind(door, routes, client, csrf):
    """What the door lets through: 204 is the answer of the empty room behind it."""
    found = {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(door), base_url="http://shop", cookies=dict(client.cookies)
    ) as caller:
        for route in routes:
            method, path = route.split(" ")
            for name, value in SAMPLE.items():
                path = path.replace(name, value)
            path += "/x.css" if path in {"/static", "/vendor"} else ""
            token = client.cookies["regulars_form"] if path == "/sign-in" else csrf
            response = await caller.request(method, path, headers={"x-csrf-token": token})
            found[route] = MEANING[response.status_code]
    return found


def test_every_route_for_every_role_is_as_the_snapshot_says(empty_server):
    """A new route, or a new right, changes this file: `role_matrix.txt` is read in review."""

    async def empty_room(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    routes, table = routes_of(empty_server), {}
    door = copy.copy(empty_server.web)
    door._app = empty_room
    for role in CALLERS:
        client = empty_server.client(role)
        csrf = empty_server.csrf(client) if role else "none"
        client.get("/sign-in")
        table[role] = asyncio.run(answers_behind(door, routes, client, csrf))
    lines = [
        f"{route}: " + ", ".join(f"{role or 'anonymous'} {table[role][route]}" for role in CALLERS)
        for route in routes
    ]

    assert "\n".join(lines) + "\n" == SNAPSHOT.read_text("utf-8")


def test_the_matrix_lists_every_route_and_no_other(server):
    assert sorted(ROLE_MATRIX.least_by_route) == sorted(routes_of(server))


def test_only_signing_in_files_and_the_pulse_are_open():
    open_routes = {route for route, least in ROLE_MATRIX.least_by_route.items() if least == ANYONE}

    assert open_routes == {
        "GET /healthz",
        "GET /static",
        "GET /vendor",
        "GET /sign-in",
        "POST /sign-in",
        "GET /onsite.js",
    }


def test_a_publishable_key_opens_asking_and_telling_and_nothing_else():
    published = {route for route, least in ROLE_MATRIX.least_by_route.items() if least == PUBLISHED}

    assert published == {
        f"{method} /api/reach/slot/{{key}}/{deed}"
        for method in ("POST", "OPTIONS")
        for deed in ("ask", "tell")
    }


def test_only_a_signed_route_takes_a_form_without_a_cookie(shop_folder, serve):
    def taken(_request):
        return PlainTextResponse("taken")

    matrix = RoleMatrix({"POST /signed/{token}": SIGNED, "POST /open": ANYONE})
    planted = [Route(path, taken, methods=["POST"]) for path in ("/signed/{token}", "/open")]
    with serve(shop_folder, matrix=matrix, more_routes=tuple(planted)) as server:
        bare = {"sec-fetch-site": "cross-site"}

        assert httpx.post(f"{server.url}/signed/x", headers=bare).text == "taken"
        assert httpx.post(f"{server.url}/open").status_code == 403


def test_a_route_nobody_listed_is_refused_to_everybody(shop_folder, serve):
    def leak(_request):
        return PlainTextResponse("secret")

    planted = Route("/planted", leak, methods=["GET", "POST"])
    with serve(shop_folder, more_routes=(planted,)) as server:
        anonymous, admin = server.client(), server.client("admin")

        assert anonymous.get("/planted").status_code == 303
        assert admin.get("/planted").status_code == 403
        assert (
            admin.post("/planted", headers={"x-csrf-token": server.csrf(admin)}).status_code == 403
        )


def test_the_guard_asks_the_matrix_it_was_given(shop_folder, serve):
    only_health = RoleMatrix({"GET /healthz": ANYONE})
    with serve(shop_folder, matrix=only_health) as server:
        client = server.client()

        assert client.get("/healthz").text == "ok"
        assert client.get("/sign-in").status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/customers/../",
        "//customers",
        "/CUSTOMERS",
        "/customers/",
        "/static/../web.py",
        "/static/%2e%2e/%2e%2e/web.py",
        "/api/unify/customers/",
    ],
)
def test_no_spelling_of_a_path_gets_around_the_door(server, path):
    response = server.client().get(path)

    assert response.status_code in {303, 401, 404}
    assert "customer" not in response.text.lower()


def test_a_form_without_its_token_is_refused(server):
    client = server.client("admin")
    token = server.csrf(client)

    assert client.post("/customers/search", data={"text": "c001"}).status_code == 403
    assert (
        client.post("/customers/search", data={"text": "c001", "csrf_token": "wrong"}).status_code
        == 403
    )
    assert (
        client.post("/customers/search", data={"text": "c001", "csrf_token": token}).status_code
        == 200
    )
    assert client.post("/api/unify/customers/search", json={}).status_code == 403
    assert (
        client.post(
            "/api/unify/customers/search", json={}, headers={"x-csrf-token": token}
        ).status_code
        == 200
    )


def test_a_token_of_somebody_else_is_refused(server):
    mine, theirs = server.client("admin"), server.client("admin")

    assert (
        mine.post("/customers/search", data={"csrf_token": server.csrf(theirs)}).status_code == 403
    )


def test_a_form_sent_from_another_site_is_refused_even_with_the_token(server):
    client = server.client("admin")
    sent = {"text": "", "csrf_token": server.csrf(client)}

    assert (
        client.post(
            "/customers/search", data=sent, headers={"sec-fetch-site": "cross-site"}
        ).status_code
        == 403
    )


def test_signing_in_needs_the_token_of_the_form(server):
    client = server.client()
    client.get("/sign-in")

    response = client.post("/sign-in", data={"name": "admin", "password": server.password})

    assert response.status_code == 403
    assert "regulars_session" not in client.cookies


def test_a_wrong_password_says_neither_which_was_wrong(server):
    client = server.client()
    wrong_password = server.sign_in(client, "admin", "a wrong password").text
    wrong_name = server.sign_in(client, "ghost", server.password).text

    def says(page):
        return re.search(r'role="alert">([^<]+)<', page)[1]

    assert says(wrong_password) == says(wrong_name) == "The name or the password is wrong."


def test_a_session_somebody_planted_is_never_taken_over(server):
    client = server.client()
    client.cookies.set("regulars_session", "planted-by-an-attacker")
    server.sign_in(client, "viewer")

    assert client.cookies.get("regulars_session", domain="127.0.0.1") != "planted-by-an-attacker"
    planted = server.client()
    planted.cookies.set("regulars_session", "planted-by-an-attacker")
    assert planted.get("/").status_code == 303


def test_signing_in_again_ends_the_session_before(server):
    client = server.client("viewer")
    before = client.cookies["regulars_session"]

    server.sign_in(client, "viewer")

    assert client.cookies["regulars_session"] != before
    old = server.client()
    old.cookies.set("regulars_session", before)
    assert old.get("/").status_code == 303


def test_signing_out_ends_the_session_on_the_server_too(server):
    client = server.client("viewer")
    token = client.cookies["regulars_session"]
    client.post("/sign-out", data={"csrf_token": server.csrf(client)})

    kept = server.client()
    kept.cookies.set("regulars_session", token)
    assert kept.get("/").status_code == 303


def test_a_disabled_user_is_out_with_the_next_click(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "shop")
    with serve(tmp_path / "shop") as server:
        client = server.client("marketer")
        assert client.get("/").status_code == 200

        disable_user(server.home.state, name="marketer", actor="test", now=datetime.now(UTC))

        assert client.get("/").status_code == 303
        assert client.get("/api/collect/state").status_code == 401


def test_a_new_password_ends_the_sessions(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "shop")
    with serve(tmp_path / "shop") as server:
        client = server.client("marketer")

        set_password(
            server.home.state,
            name="marketer",
            password="another horse",
            actor="test",
            now=datetime.now(UTC),
        )

        assert client.get("/").status_code == 303


def test_a_session_ends_after_twelve_hours(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "shop")
    moment = [datetime(2026, 3, 2, tzinfo=UTC)]
    with serve(tmp_path / "shop", clock=lambda: moment[0]) as server:
        client = server.client("viewer")
        client.cookies.jar.clear_expired_cookies = lambda: None
        moment[0] += timedelta(hours=11, minutes=59)
        assert client.get("/").status_code == 200

        moment[0] += timedelta(minutes=2)

        assert client.get("/").status_code == 303


def test_a_guesser_is_told_to_wait(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "shop")
    with serve(tmp_path / "shop", clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)) as server:
        client = server.client()
        codes = [server.sign_in(client, "admin", "a wrong password").status_code for _ in range(6)]
        last = server.sign_in(client, "admin")

        assert codes == [401] * 5 + [429]
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/nothing", "/api/collect/state", "/static/console.css", "/healthz"]
)
def test_every_answer_carries_the_security_headers(server, path):
    client = server.client("viewer" if path not in {"/sign-in", "/healthz"} else None)

    headers = client.get(path).headers

    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == (
        "public, max-age=3600" if path.startswith("/static") else "no-store"
    )


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(server):
    client = server.client()
    plain = server.sign_in(client, "viewer").headers.get_list("set-cookie")

    [cookie] = [c for c in plain if c.startswith("regulars_session=")]
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "secure" not in cookie.lower()


def test_over_https_cookies_are_bound_to_https_and_this_host(server):
    client = server.client()
    client.headers["x-forwarded-proto"] = "https"
    form = client.get("/sign-in")
    token = re.search(r"regulars_form=([^;]+)", form.headers["set-cookie"])[1]
    client.headers["cookie"] = f"regulars_form={token}"

    response = client.post(
        "/sign-in", data={"name": "viewer", "password": server.password, "csrf_token": token}
    )

    [cookie] = [c for c in response.headers.get_list("set-cookie") if "regulars_session" in c]
    assert cookie.startswith("__Host-regulars_session=")
    assert "secure" in cookie.lower()
    assert response.headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/customers?sort=spend", "/customers?sort=spend"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nset-cookie: a=b", "/"),
    ],
)
def test_signing_in_leads_only_to_pages_of_ours(server, wanted, goes):
    response = server.sign_in(server.client(), "viewer", next=wanted)

    assert response.headers["location"] == goes


def test_a_page_asked_for_before_signing_in_is_shown_after(server):
    client = server.client()
    asked = client.get("/customers?sort=spend")
    form = client.get(asked.headers["location"])

    assert 'name="next" value="/customers?sort=spend"' in form.text


def test_too_large_a_form_is_refused(server):
    client = server.client("viewer")

    assert (
        client.post(
            "/customers/search", data={"text": "x" * 70_000, "csrf_token": server.csrf(client)}
        ).status_code
        == 413
    )


def test_signing_in_and_out_is_audited_and_signed(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "shop")
    with serve(tmp_path / "shop") as server:
        client = server.client("viewer")
        client.post("/sign-out", data={"csrf_token": server.csrf(client)})
        server.sign_in(client, "viewer", "a wrong password")

        actions = [entry.action for entry in newest(server.home.state, size=3)]
        found = verify(server.home.state, folder=server.folder)

        assert actions == ["session.refuse", "session.close", "session.open"]
        assert found.intact
        assert found.anchored_to == found.entries
