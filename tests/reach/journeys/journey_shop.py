"""A shop with one journey, for tests that look at single things."""

from datetime import timedelta

from regulars.reach.journeys.advancing.service import advance
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.definition.reading import Ground, parse
from regulars.reach.journeys.entering.following.service import Event, hand_in
from regulars.reach.journeys.keeping.publishing.service import publish, roll_back
from regulars.reach.journeys.keeping.service import find_journey, put_journey, standing_at
from regulars.reach.journeys.running.service import Means
from regulars.reach.journeys.running.webhooks.service import keep_calls
from regulars.reach.standing.gate import Gate
from regulars.settings import Loop, Policy, Settings

ZONE = "Asia/Shanghai"
NOBODY = Loop(global_holdout=0.0)
GROUND = Ground(channels=["sms", "email", "crm"])


class Tags:
    """Tags as a test says."""

    def __init__(self, **members):
        self.tagged = members

    def belongs(self, audience, customers, /):
        return [customer in self.tagged.get(audience.name, ()) for customer in customers]


def means(*, loop=NOBODY, most=1000, **tagged):
    """What the executor works with in tests; webhooks are kept, nothing else is done."""
    return Means(
        Settings(loop=loop),
        Gate(Policy(), zone=ZONE),
        Tags(**tagged),
        None,
        {NodeKind.WEBHOOK: keep_calls},
        most=most,
    )


class Trip:
    """One journey of a shop."""

    def __init__(self, shop, text, now, **options):
        self.shop, self.state, self.now = shop, shop.state, now
        self.means = means(**options)
        self.publish(text)

    def publish(self, text, moves=None, **changes):
        given = dict(parse(text, is_json=False)) | changes
        row = put_journey(self.state, given, ground=GROUND, actor="mei", now=self.now)
        self.id = row.id
        return publish(
            self.state, row.id, version=row.newest.version, moves=moves or {}, actor="mei",
            now=self.now,
        )  # fmt: skip

    def back(self, **options):
        return roll_back(
            self.state,
            self.id,
            moves=options.pop("moves", {}),
            actor="mei",
            now=self.now,
            **options,
        )

    def after(self, **span):
        self.now += timedelta(**span)
        return self

    def tell(self, name, *customers, **says):
        with self.state.transaction() as opened:
            hand_in(
                opened,
                [Event(name, one, f"{name}-{one}-{self.now}", self.now, says) for one in customers],
            )
        return self

    def look(self):
        return advance(self.state, self.means, now=self.now)

    def standing(self):
        return {one.node: one.customers for one in standing_at(self.state, self.id)}

    @property
    def row(self):
        return find_journey(self.state, self.id)

    def rows(self, sql, **values):
        return self.shop.all(sql, **values)
