"""A shop that sends campaigns: a real state store, real rules of contact, a provider on disk."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from regulars.adapters.state import SQLState, migrate
from regulars.adjust.rollout.service import Means, advance, go_on
from regulars.govern.access.passwords import ScryptCost
from regulars.govern.access.service import add_user
from regulars.reach.campaigns.audiences.service import Found
from regulars.reach.campaigns.reading import Ground
from regulars.reach.campaigns.reviewing import service as reviewing
from regulars.reach.campaigns.reviewing.dossier import Shown, make_dossier, subject_of
from regulars.reach.campaigns.running import service as running
from regulars.reach.campaigns.service import find_campaign, put_campaign
from regulars.reach.delivery.service import tick
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy, Settings
from regulars.testing import FakeProvider

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
GROUND = Ground(channels=("sms", "app"))
TEA = {"id": "tea", "channel": "sms", "topic": "tea", "audience": {"customers": ["c0"]}}
CHEAP = ScryptCost(16, 1, 1)


class CampaignShop:
    """Customers, users and the campaigns they are sent."""

    def __init__(self, folder, *, url="", **policy):
        url = url or f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        self.state, self.folder, self.kept = SQLState(url), folder, []
        self.settings = replace(Settings(), policy=Policy(**({"cap_contacts": 100} | policy)))
        self.gate = Gate(self.settings.policy, zone="Asia/Shanghai")
        self.provider = FakeProvider(folder / "deliveries", keyed=True)
        self.shown = Shown({"text": "tea is here"})
        self.now = NOW
        for name, role in (("mei", "marketer"), ("lan", "approver")):
            add_user(
                self.state,
                name=name,
                role=role,
                password="long enough",
                actor="t",
                now=NOW,
                cost=CHEAP,
            )

    def run(self, sql, *rows):
        with self.state.transaction() as opened:
            opened.many(sql, rows)

    def all(self, sql, **values):
        with self.state.reading() as opened:
            return opened.all(sql, **values)

    def later(self, **time):
        self.now += timedelta(**time)

    def granted(self, customers, channel="*"):
        self.run(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:customer, 'marketing', :channel, 'granted', '2026-01-01')""",
            *[{"customer": one, "channel": channel} for one in customers],
        )

    def put(self, customers, *, actor="mei", **changed):
        given = TEA | {"audience": {"customers": list(customers)}} | changed
        return put_campaign(self.state, given, ground=GROUND, actor=actor, now=self.now)

    def subject(self, row):
        return subject_of(row.campaign, row.version, self.shown)

    def submit(self, name="tea", *, actor="mei"):
        row = find_campaign(self.state, name)
        dossier = make_dossier(
            row.campaign,
            row.version,
            self.shown,
            changes=reviewing.changes_since_approval(self.state, row.campaign),
            audience=row.campaign.audience.customers,
            global_holdout=self.settings.loop.global_holdout,
            contact_cost=self.settings.channels["sms"].cost,
        )
        return reviewing.submit(self.state, dossier, actor=actor, now=self.now)

    def approve(self, number, *, actor="lan"):
        reviewing.approve_campaign(
            self.state,
            number,
            current=lambda name: self.subject(find_campaign(self.state, name)),
            actor=actor,
            now=self.now,
        )

    def start(self, customers, *, regions=None, name="tea", actor="mei"):
        found = Found(tuple(sorted(customers)), tuple(regions or [""] * len(customers)))
        row = find_campaign(self.state, name)
        return running.start(
            self.state,
            name,
            found=found,
            subject=self.subject(row),
            settings=self.settings,
            actor=actor,
            now=self.now,
        )

    def ready(self, customers, **changed):
        """Put, approve and start a campaign to people who agreed."""
        self.granted(customers)
        self.put(customers, **changed)
        self.approve(self.submit())
        return self.start(customers, regions=changed.get("regions"))

    @property
    def means(self):
        return Means(self.settings, self.gate, self.subject, self.keep)

    def keep(self, _row, phase, rows):
        self.kept.append((phase, len(rows)))

    def advance(self):
        return advance(self.state, self.means, now=self.now)

    def tick(self):
        return tick(
            self.state,
            now=self.now,
            channels={"sms": self.provider, "app": self.provider},
            gate=self.gate,
            pause=lambda _seconds: None,
            timer=lambda: 0.0,
        )

    def go(self, **hours):
        """One pass as `regulars reach tick` makes it."""
        self.later(**hours)
        moves = self.advance()
        self.tick()
        return [*moves, *self.advance()]

    def go_on(self, *, actor="lan"):
        return go_on(self.state, "tea", actor=actor, now=self.now)

    def row(self, name="tea"):
        return find_campaign(self.state, name)

    def counts(self, name="tea"):
        return {one.name: one for one in running.count(self.state, name)}

    def delivered(self):
        return sorted(customer for _key, customer in self.provider.deliveries())

    def assignments(self):
        rows = self.all("SELECT customer_id, assignment FROM campaign_members")
        return {row["customer_id"]: row["assignment"] for row in rows}

    def receipts(self, kind, share, *, phase="pilot"):
        """Let a share of what was sent in a phase come back."""
        rows = self.all(
            "SELECT key, customer_id FROM ledger WHERE run_id = :run AND state = 'sent' ORDER BY key",
            run=f"campaign/tea/{phase}",
        )
        column = {"bounce": "bounced_at", "complaint": "complained_at", "opt_out": "opted_out_at"}
        for row in rows[: round(len(rows) * share)]:
            self.run(
                f"""INSERT INTO contact_states (contact_key, customer_id, channel, state, {column[kind]})
                    VALUES (:key, :customer_id, 'sms', 'x', '2026-03-02')""",
                row,
            )


def people(number):
    return [f"c{one:05d}" for one in range(number)]
