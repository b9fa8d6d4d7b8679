"""Identity at the faces: shown masked, merged and taken apart by those who may, and audited."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from regulars.app import open_app
from regulars.collect.ingest.batch import EventBatch
from regulars.collect.sources import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.govern.audit.service import newest
from regulars.serve.cli.main import main
from regulars.unify.identity.service import IdentityFollower, owner

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PHONE = "13912345678"


def meet(folder):
    """Let one customer sign in with a phone number, and a visitor come by."""
    app = open_app(folder)
    rows = [
        {
            "source": "web",
            "message_id": f"m{number}",
            "type": "identify",
            "event": None,
            "received_at": NOW,
            "user_id": user,
            "anonymous_id": cookie,
            "payload": json.dumps({"traits": traits}),
        }
        for number, (user, cookie, traits) in enumerate([
            ("u1", "cookie-one", {"phone": PHONE}),
            (None, "cookie-two", {}),
        ])
    ]
    events = app.protector.protect(pa.Table.from_pylist(rows))
    IdentityFollower(app.state).follow(EventBatch(0, 1, events))
    return app, owner(app.state, "cookie", "cookie-two")


def post(server, client, path, **body):
    headers = {"x-csrf-token": server.csrf(client)}
    return client.post(f"/api/unify/{path}", json=body, headers=headers)


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_graph_is_masked_and_merging_needs_a_role(make_shop, serve, tmp_path):
    folder = tmp_path / "shop"
    make_shop.empty(folder)
    app, visitor = meet(folder)
    with serve(folder) as server:
        viewer, analyst = server.client("viewer"), server.client("analyst")
        shown = viewer.get("/api/unify/customers/u1/identity")
        refused = post(server, viewer, "customers/u1/merge", other=visitor)
        merged = post(server, analyst, "customers/u1/merge", other=visitor)
        twice = post(server, analyst, "customers/u1/merge", other=visitor)
        undone = post(server, analyst, f"merges/{merged.json()['number']}/unmerge")
        slip = post(server, analyst, f"customers/{visitor}/merge", other="u11")
        beyond = post(server, analyst, f"merges/{10**30}/unmerge")
        masked = viewer.get("/api/unify/customers/u1").json()
        clear = post(server, analyst, "customers/u1/reveal").json()
        page = analyst.get("/customers/u1").text
        noted = newest(app.state, size=1)[0]

    values = [one["shown"] for one in shown.json()["identifiers"]]
    assert values == ["u1", "139****5678", "****ne"]
    assert [edge["rule"] for edge in shown.json()["edges"]] == ["same_event", "same_event"]
    assert (refused.status_code, merged.status_code, twice.status_code) == (403, 200, 400)
    assert [line["action"] for line in undone.json()] == ["split"]
    assert (slip.status_code, beyond.status_code) == (404, 400)
    assert masked["contact_data"] == {"phone": "139****5678"}
    assert clear["contact_data"] == {"phone": f"+86{PHONE}"}
    assert "Show contact data" in page
    assert (noted.actor, noted.action, noted.subject) == ("analyst", "customer.reveal", "u1")
    assert owner(app.state, "cookie", "cookie-two") == visitor
    assert [e.action for e in newest(app.state, size=3)[1:]] == [
        "customer.unmerge", "customer.merge"
    ]  # fmt: skip


def test_the_commands_merge_explain_and_take_apart(tmp_path, capsys):
    run(capsys, "init", tmp_path / "shop")
    shop = tmp_path / "shop"
    _, visitor = meet(shop)

    code, said, _ = run(capsys, "unify", "merge", "u1", visitor, "--dir", shop, "--json")
    [line] = json.loads(said)
    _, told, _ = run(capsys, "unify", "explain", visitor, "--dir", shop)
    _, whole, _ = run(capsys, "unify", "explain", "u1", "--dir", shop, "--json")
    undone, _, _ = run(capsys, "unify", "unmerge", line["number"], "--dir", shop)
    again, _, error = run(capsys, "unify", "unmerge", line["number"], "--dir", shop)
    slip, _, unknown = run(capsys, "unify", "merge", visitor, "u11", "--dir", shop)

    assert (code, undone, again) == (0, 0, 2)
    assert told.startswith("u1: 4 identifiers")
    assert "139****5678" in told
    assert f"merge {visitor} into u1, by command line" in told
    assert PHONE not in told + whole
    assert "cookie-one" not in told + whole
    assert "taken back already" in error
    assert (slip, "no customer named 'u11'" in unknown) == (2, True)


def test_a_customer_kept_as_tokens_is_found_shown_masked_and_uncovered(make_shop, serve, tmp_path):
    folder = tmp_path / "shop"
    app = make_shop.empty(folder)
    path = tmp_path / "customers.csv"
    path.write_text(f"customer_id,name,phone,email\nu1,王小明,{PHONE},a@b.cn\nu2,李,,\n", "utf-8")
    import_files(app.lake, [path], mapping_by_name(), zone="Asia/Shanghai", protector=app.protector)
    with serve(folder) as server:
        viewer, analyst = server.client("viewer"), server.client("analyst")
        found = [
            [row["customer_id"] for row in post(server, viewer, "customers/search", text=text)
             .json()["rows"]]
            for text in (PHONE, "+86 139-1234-5678", "5678", "1234", "王小明")
        ]  # fmt: skip
        listed = viewer.get("/api/unify/customers").json()["rows"]
        masked = viewer.get("/api/unify/customers/u1").json()
        refused = post(server, viewer, "customers/u1/reveal")
        clear = post(server, analyst, "customers/u1/reveal").json()
        page = viewer.get("/customers/u1").text
    revealed = [entry for entry in newest(app.state) if entry.action == "customer.reveal"]

    assert found == [["u1"], ["u1"], ["u1"], [], ["u1"]]
    assert {row["phone"] for row in listed} == {"139****5678", None}
    assert masked["contact_data"] == {
        "name": "王**", "phone": "139****5678", "email": "a***@b.cn"}  # fmt: skip
    assert refused.status_code == 403
    assert clear["contact_data"] == {
        "name": "王小明", "phone": "+8613912345678", "email": "a@b.cn"}  # fmt: skip
    assert "139****5678" in page
    assert "tok_" not in page
    assert [(entry.actor, entry.subject) for entry in revealed] == [("analyst", "u1")]
