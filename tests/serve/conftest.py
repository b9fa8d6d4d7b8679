"""A small shop on disk, and a server that serves it."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import httpx
import pyarrow as pa
import pytest
import uvicorn

from regulars.adapters.arrow_types import cast_to
from regulars.app import open_app
from regulars.govern.access.passwords import ScryptCost
from regulars.govern.access.roles import Role
from regulars.govern.access.service import add_user
from regulars.govern.audit.service import anchor
from regulars.records import TABLES
from regulars.serve.console.words import REFUSALS
from regulars.serve.http.decide.short_way import DecideDoor
from regulars.serve.http.door.workspaces import open_site
from regulars.serve.ingest import Desks, Reception, protocol_for
from regulars.serve.web import make_web

PASSWORD = "correct horse battery"
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CUSTOMERS = 60
SETTINGS = """
[retailer]
name = "街角超市"
currency = "CNY"
zone = "Asia/Shanghai"
locale = "zh-CN"
[channels.sms]
cost = "0.05"
[channels.app]
cost = "0.01"
"""


def customer_id(n):
    return f"c{n:03}"


def put(app, name, rows, *, turn=None):
    """Write rows of a declared table; columns left out get an empty or neutral value."""
    table = TABLES[name]
    neutral = {
        "string": "",
        "int64": 0,
        "float64": 0.0,
        "bool": False,
        "money": Decimal(0),
        "quantity": Decimal(1),
    }
    whole = [
        {
            c.name: row.get(c.name, None if not c.required else neutral.get(c.type))
            for c in table.columns
            if c.name != "turn"
        }
        for row in rows
    ]
    columns = {c.name: [row[c.name] for row in whole] for c in table.columns if c.name != "turn"}
    data = pa.table({n: pa.array(v) for n, v in columns.items()})
    if turn is None:
        app.lake.append(name, cast_to(table, data), application="test")
    else:
        app.lake.overwrite_turn(
            name, cast_to(table, data, turn=turn), application="test", turn=turn
        )


def empty_shop(folder):
    folder.mkdir(parents=True)
    (folder / "regulars.toml").write_text(SETTINGS, encoding="utf-8")
    app = open_app(folder, workers=1)
    for role in Role:
        add_user(
            app.state,
            name=role.value,
            role=role.value,
            password=PASSWORD,
            actor="test",
            now=NOW,
            locale="en",
            cost=ScryptCost(16, 1, 1),
        )
    anchor(app.state, folder=folder, at=NOW)
    return app


def filled_shop(folder):
    app = empty_shop(folder)
    _facts(app)
    for turn, as_of in ((1, date(2026, 2, 22)), (2, date(2026, 3, 1))):
        _look(app, turn, as_of)
        _act(app, turn)
        with app.state.transaction() as transaction:
            transaction.run(
                "insert into turns values (:n, :as_of, :now, 7, 'closed')",
                n=turn,
                as_of=str(as_of),
                now=f"{as_of + timedelta(days=1)}T02:00:00+00:00",
            )
    _measured(app)
    return app


def _facts(app):
    people = range(CUSTOMERS)
    put(
        app,
        "customers",
        [
            {
                "customer_id": customer_id(n),
                "name": "<script>window.xss=1</script>" if n == 3 else f"王小{n}",
                "phone": f"1380013{n:04}",
                "email": f"wang{n}@example.com",
                "wechat_id": f"wx_abc{n:04}",
                "city": "上海",
                "joined_on": date(2025, 1, 1),
            }
            for n in people
        ],
    )
    put(
        app,
        "orders",
        [
            {
                "order_id": f"o{n}-{k}",
                "customer_id": customer_id(n),
                "store_id": "s1",
                "ordered_at": datetime(2026, 1 + k % 2, 3 + n % 20, 11, tzinfo=UTC),
                "business_date": date(2026, 1 + k % 2, 3 + n % 20),
                "total": Decimal("88.50") + n,
            }
            for n in people
            for k in range(3)
        ],
    )
    put(
        app,
        "offers",
        [
            {
                "offer_id": "news",
                "name": "新品快讯",
                "family": "news",
                "planned_cost": Decimal("0.00"),
                "margin_floor": 0.1,
            },
            {
                "offer_id": "off10",
                "name": "九折券",
                "family": "percent_off",
                "discount_share": 0.1,
                "planned_cost": Decimal("1.20"),
                "margin_floor": 0.1,
            },
        ],
    )
    put(
        app,
        "consents",
        [
            {
                "customer_id": customer_id(n),
                "purpose": "marketing",
                "channel": "*",
                "status": "granted",
                "recorded_at": datetime(2025, 1, 1, 4, tzinfo=UTC),
            }
            for n in people
            if n % 6
        ],
    )
    put(
        app,
        "contact_outcomes",
        [
            {
                "contact_key": "k1",
                "customer_id": customer_id(1),
                "kind": "opened",
                "occurred_at": datetime(2026, 2, 23, 5, tzinfo=UTC),
            }
        ],
    )
    put(
        app,
        "imports",
        [
            {
                "import_id": "i1",
                "file": "orders.csv",
                "table": "orders",
                "received": 190,
                "stored": 180,
                "duplicate": 3,
                "quarantined": 7,
                "last_day": date(2026, 2, 22),
            }
        ],
    )
    put(
        app,
        "quarantine",
        [
            {
                "import_id": "i1",
                "file": "orders.csv",
                "table": "orders",
                "row": n,
                "reason": "not_a_number" if n < 5 else "strange_new_reason",
                "raw": "x",
            }
            for n in range(7)
        ],
    )


def _look(app, turn, as_of):
    people = range(CUSTOMERS)
    put(
        app,
        "profiles",
        [
            {
                "customer_id": customer_id(n),
                "as_of": as_of,
                "age_group": "35-44",
                "days_known": 400,
                "recency_days": n,
                "orders": 3,
                "orders_90d": 3,
                "monetary": Decimal("265.50") + 3 * n,
                "basket_size": 88.5 + n,
                "weekly_orders": 0.4,
                "favourite_category": "生鲜",
                "discount_share": 0.123,
                "favourite_hour": 18,
                "margin_rate": 0.25,
            }
            for n in people
        ],
        turn=turn,
    )
    put(
        app,
        "customer_values",
        [
            {
                "customer_id": customer_id(n),
                "p_alive": 0.9,
                "expected_orders": 4.2,
                "expected_spend": 380.0,
                "residual_value": 100.0 + n,
                "value_tier": "high",
                "activity_tier": "active",
                "grid_cell": "high active",
            }
            for n in people
        ],
        turn=turn,
    )
    put(
        app,
        "churn_scores",
        [
            {
                "customer_id": customer_id(n),
                "is_at_risk": n % 3 != 0,
                "silence_weeks": 2.0 + n,
                "churn_probability": 0.85 if n % 6 == 1 else 0.25,
                "recency_probability": 0.5,
            }
            for n in people
        ],
        turn=turn,
    )
    put(
        app,
        "churn_models",
        [
            {"model": "hazard", "figure": "auc", "value": 0.8},
            {"model": "recency", "figure": "auc", "value": 0.7},
        ],
        turn=turn,
    )
    put(
        app,
        "rfm_scores",
        [
            {
                "customer_id": customer_id(n),
                "recency": 5,
                "frequency": 4,
                "monetary": 3,
                "segment": "champions" if n % 2 else "at_risk",
            }
            for n in people
        ],
        turn=turn,
    )


ENDS = [
    ("skip", "no_consent", "skipped", "no_consent"),
    ("send", "chosen", "sent", "handed_over"),
    ("abstain", "negative_value", "abstained", "negative_value"),
    ("holdout", "campaign_holdout", "holdout", "campaign_holdout"),
    ("send", "chosen", "failed", "isv.AMOUNT_NOT_ENOUGH"),
    ("holdout", "global_holdout", "holdout", "global_holdout"),
]


def _act(app, turn):
    decided, ended = [], []
    for n in range(CUSTOMERS):
        verdict, reason, fate, fate_reason = ENDS[n % 6]
        drawn = n % 6 in {1, 3, 4}
        offer = ("off10" if n % 4 == 1 else "news") if drawn else None
        action = {
            "campaign_id": f"{offer}-{turn:03}" if drawn else None,
            "offer_id": offer,
            "channel": "sms" if drawn else None,
        }
        candidates = (
            {}
            if n % 6 in {0, 5}
            else {"news:sms": [0.31, 0.6], "off10:sms": [-0.2, 0.02], "news:app": [0.4, 0.1]}
        )
        decided.append({
            "customer_id": customer_id(n),
            "verdict": verdict,
            "reason": reason,
            **action,
            "propensity": 0.54,
            "send_propensity": 0.6,
            "candidates": json.dumps(candidates),
            "verdicts": json.dumps(
                {"no_consent": ["news:sms", "off10:sms"]}
                if n % 6 == 0
                else {"margin_floor": ["off10:app"]}
            ),
            "features": "{}",
            "value": 0.31,
            "cost": Decimal("0.05"),
        })
        ended.append({
            "key": f"k{turn}-{n}",
            "customer_id": customer_id(n),
            **action,
            "cost": Decimal("0.05") if fate == "sent" else Decimal(0),
            "at": datetime(2026, 2, 16 + 7 * (turn - 1), 2, tzinfo=UTC) if fate == "sent" else None,
            "fate": fate,
            "reason": fate_reason,
        })
    put(app, "decisions", decided, turn=turn)
    put(app, "contacts", ended, turn=turn)


def _measured(app):
    effects = [
        {
            "measured_turn": 1,
            "campaign_id": campaign,
            "metric": metric,
            "window_days": 7,
            "treated": 20,
            "control": 4,
            "status": "too_few" if campaign == "off10-001" else "ok",
            "estimate": scale * 21.5,
            "low": scale * -8.25,
            "high": scale * 51.0,
            "level": 0.9,
            "mde": scale * 40.0,
            "cost": Decimal("0.50"),
        }
        for campaign in ("*", "news-001", "off10-001")
        for metric, scale in (("margin", 1), ("sales", 4), ("orders", 0.1), ("residual_value", 2))
    ]
    put(app, "effects", effects, turn=2)
    put(
        app,
        "predictions",
        [
            {
                "measured_turn": 1,
                "campaign_id": "news-001",
                "predicted": 18.0,
                "measured": 21.5,
                "low": -8.25,
                "high": 51.0,
                "inside": True,
            },
            {"measured_turn": 1, "campaign_id": "off10-001", "predicted": 3.0},
        ],
        turn=2,
    )
    put(
        app,
        "programme_effects",
        [
            {
                "metric": metric,
                "from_turn": 1,
                "to_turn": 1,
                "treated": 50,
                "control": 10,
                "status": "ok",
                "estimate": scale * 1234.5,
                "low": scale * -100.25,
                "high": scale * 2569.0,
                "level": 0.9,
                "mde": scale * 900.0,
                "claims": False,
            }
            for metric, scale in (
                ("margin", 1),
                ("sales", 4),
                ("orders", 0.1),
                ("residual_value", 2),
            )
        ],
        turn=2,
    )


class Server:
    """The console of one folder on a free port, in a thread of its own."""

    password = PASSWORD

    def __init__(self, folder, **options):
        self.folder, self.site = folder, open_site(folder)
        self.home = self.site.home
        self.web = make_web(self.site, **options)
        self.door = DecideDoor(self.site, refusals=REFUSALS)
        config = uvicorn.Config(
            self.web,
            host="127.0.0.1",
            port=0,
            log_level="critical",
            access_log=False,
            # As `regulars serve` has it, but for events.
            http=protocol_for(Reception(Desks([])), self.door),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self):
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.02)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join()

    def client(self, role=None):
        """A browser without scripts; signed in when a role is given."""
        client = httpx.Client(base_url=self.url, headers={"accept-language": "en"}, timeout=60)
        if role:
            assert self.sign_in(client, role).status_code == 303
        return client

    def sign_in(self, client, name, password=PASSWORD, **fields):
        client.get("/sign-in")
        sent = {"name": name, "password": password, "csrf_token": client.cookies["regulars_form"]}
        return client.post("/sign-in", data=sent | fields)

    def csrf(self, client):
        page = client.get("/customers").text
        return page.split('name="csrf_token" value="')[1].split('"')[0]


class Live:
    """`regulars serve` as a shell starts it: console, doors for events, and the drain beside."""

    password = PASSWORD

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        words = ["serve", "--dir", str(self.folder), "--port", "0"]
        code = f"from regulars.serve.cli.main import main; main({words!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        line = self._process.stdout.readline()
        self.url = re.search(r"http://[\d.:]+", line)[0]
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(60)

    client, sign_in, csrf = Server.client, Server.sign_in, Server.csrf

    def post(self, role, path, **fields):
        """Send a form of the console as somebody signed in."""
        client = self.client(role)
        fields["csrf_token"] = self.csrf(client)
        return client.post(path, data=fields)

    def send(self, key, *events):
        """Send events as a client does; gives what the server acknowledged."""
        batch = {"batch": list(events)}
        answer = httpx.post(f"{self.url}/v1/batch", auth=(key, ""), json=batch, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, look, seconds=60):
        """Look again until what is looked for is there."""
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end, "it did not come"
            time.sleep(0.1)
        return found


@pytest.fixture(scope="session")
def make_shop():
    """Makes shops: `empty` with users only, `filled` with two turns."""
    return SimpleNamespace(
        empty=empty_shop, filled=filled_shop, put=put, customers=CUSTOMERS, now=NOW
    )


@pytest.fixture(scope="session")
def serve():
    """Serves a folder: `with serve(folder) as server`."""
    return Server


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve") / "shop"
    filled_shop(folder)
    return folder


@pytest.fixture(scope="session")
def server(shop_folder):
    with Server(shop_folder) as running:
        yield running


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve") / "empty"
    empty_shop(folder)
    with Server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def live(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve") / "live"
    filled_shop(folder)
    with Live(folder) as running:
        yield running


@pytest.fixture(scope="session")
def make_key(live):
    """Makes write keys on the page: `make_key("web")`."""

    def made(source):
        page = live.post("admin", "/data/keys", source=source).text
        return re.search(r'id="new-key" value="(wk_\w+)"', page)[1]

    return made
