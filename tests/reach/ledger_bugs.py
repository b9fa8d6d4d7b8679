"""Bugs of the kind other engines ship, planted one at a time: each must be seen by the simulation."""

from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.ports.state import Statement
from regulars.reach.delivery.ledger import service as ledger
from regulars.reach.delivery.ledger.answers import service as answers
from regulars.reach.delivery.ledger.service import Ledger
from regulars.reach.delivery.sending import service as sending
from regulars.reach.standing.gate import Gate

BUGS = {}


def bug(make):
    """Register a planted bug by the name of its function."""
    BUGS[make.__name__] = make
    return make


@contextmanager
def statement(*changes, **planted):
    """Change the text of named statements: (name, old text, new text)."""
    statements = dict(ledger._SQL._statements)
    for name, old, new in changes:
        text = str(statements[name])
        assert old in text, f"{name} has no {old!r} any more"
        statements[name] = Statement(text.replace(old, new), {})
    with patch.object(ledger._SQL, "_statements", statements):
        yield planted


@contextmanager
def method(owner, name, made, **planted):
    """Replace a method or function."""
    with patch.object(owner, name, made):
        yield planted


@contextmanager
def both(first, second):
    """Two changes that make one bug."""
    with first, second:
        yield {}


@bug
def cursor_at_fetch():
    """What was fetched counts as done, before it is sent."""
    return statement(("claim", "state = 'claimed', reason", "state = 'sent', reason"))


@bug
def record_after_batch():
    """Nothing is written before the provider is called."""
    accepted = "state IN ('claimed', 'unknown')"
    return statement(
        ("claim", "state = 'claimed', reason", "state = 'planned', reason"),
        ("sent", accepted, "state IN ('claimed', 'unknown', 'planned')"),
        ("not_taken", accepted, "state IN ('claimed', 'unknown', 'planned')"),
        ("doubt", "AND state = 'claimed'", "AND state = 'planned'"),
        ("give_up", "AND state = 'claimed'", "AND state = 'planned'"),
    )


class RandomKeys:
    """Every attempt draws a key of its own, so that the provider cannot know it."""

    def __init__(self, channel):
        self._channel = channel
        self.recovery, self.key_seconds = channel.recovery, channel.key_seconds
        self.carries_messages, self.find = channel.carries_messages, channel.find

    def send(self, contacts, /):
        world = self._channel.world
        drawn = {f"{world.draw.getrandbits(64):x}": contact for contact in contacts}
        known = dict(self._channel.known)
        self._channel.known = {}
        try:
            return self._channel.send(list(drawn.values()))
        finally:
            self._channel.known = known


@bug
@contextmanager
def random_key():
    """The key is drawn per attempt, not derived."""
    yield {"keys": RandomKeys}


def _claim_in_two_transactions(self, channel, lane, most, *, now, check):
    """Look in one transaction, let others work, and write in another."""
    with self.state.reading() as opened:
        rows = opened.all(
            ledger._SQL["next_planned"],
            turn=self.turn,
            channel=channel,
            message_class=lane,
            before="9",
            most=most,
        )
        if not rows:
            return ledger.Window(0, (), (), {}, now)
        asks = [ledger.ask_of(row, channel, lane) for row in rows]
        verdicts = self._judge(opened, rows, asks, now)
    self.state._world.others_claim(channel)
    with self.state.sharing() as opened:
        if not check:
            keys = ledger.json.dumps([ask.key for ask in asks])
            opened.run(
                """UPDATE ledger SET state = 'planned', at = NULL
                   WHERE key IN (SELECT value FROM json_each(:keys))""",
                keys=keys,
            )
        else:
            left = {
                row["key"] for row in opened.all("SELECT key FROM ledger WHERE state = 'planned'")
            }
            kept = [n for n, ask in enumerate(asks) if ask.key in left]
            rows, asks = [rows[n] for n in kept], [asks[n] for n in kept]
            verdicts = [verdicts[n] for n in kept]
        ends = self._refuse(opened, asks, verdicts, now)
        allowed = [n for n, verdict in enumerate(verdicts) if verdict.decision == "allow"]
        self.gate.reserve(opened, [asks[n] for n in allowed], now=now)
        opened.run(
            ledger._SQL["claim"],
            keys=ledger.json.dumps([asks[n].key for n in allowed]),
            owner=self.pace.owner,
            lease_until=self._lease(now),
            at=ledger.stamp(now),
            claimed_on=self.pace.uptime(),
        )
    kept = [asks[n] for n in allowed]
    return ledger.Window(max(len(rows), 1), [rows[n] for n in allowed], kept, ends, now)


@bug
def lock_outside_transaction():
    """The rows are locked while they are looked at, and no longer when they are claimed."""

    def claim(self, channel, lane, most, *, now, left_for):
        return _claim_in_two_transactions(self, channel, lane, most, now=now, check=False)

    return method(Ledger, "claim", claim, offers=("news",))


@bug
def count_then_insert_cap():
    """The cap is read in one transaction and counted in another."""

    def claim(self, channel, lane, most, *, now, left_for):
        return _claim_in_two_transactions(self, channel, lane, most, now=now, check=True)

    return method(Ledger, "claim", claim, offers=("news",))


class ConsentAtEnqueue(Gate):
    """Consent was asked when the audience was made: why ask again."""

    def judge(self, opened, asks, *, now):
        opened.run("SAVEPOINT asked")
        opened.run("UPDATE consents SET status = 'granted'")
        verdicts = super().judge(opened, asks, now=now)
        opened.run("ROLLBACK TO asked")
        return verdicts


@bug
@contextmanager
def consent_checked_at_enqueue():
    """Whoever withdraws between enrolment and dispatch is contacted."""
    yield {"gate": ConsentAtEnqueue}


@bug
def retry_after_key_expiry():
    """The provider has forgotten the key, and is sent it again."""
    return both(
        method(ledger, "key_is_known", lambda *_: True),
        method(answers, "key_is_known", lambda *_: True),
    )


@bug
@contextmanager
def live_lease_recovered():
    """Claims are taken up while whoever holds them is at work."""
    at_once = statement(*[
        (name, "lease_until <= :due", ":due <> ''") for name in ("any_expired", "expired")
    ])
    with at_once, patch.object(Ledger, "take_over", _take_over_of_the_living):
        yield {}


_TAKE_OVER = Ledger.take_over


def _take_over_of_the_living(self, *given, **named):
    careless = replace(self, pace=replace(self.pace, is_alive=lambda owner: None))
    return _TAKE_OVER(careless, *given, **named)


@bug
def confirmed_without_an_answer():
    """What was handed over counts as sent, whatever the provider said or did not say."""

    def settle(self, held, answers, *given, **named):
        said = {one.contact.key: Answer(Outcome.ACCEPTED) for one in held} | dict(answers)
        return _SETTLE(self, held, said, *given, **named)

    return method(Ledger, "settle", settle)


_SETTLE = Ledger.settle


class NeverStops(Gate):
    """The emergency stop is for those who have not begun."""

    def picture(self, *given, **named):
        return replace(super().picture(*given, **named), is_stopped=False)


@bug
@contextmanager
def stop_ignored():
    """While everything is stopped, claims go on."""
    yield {"gate": NeverStops}


class LateStock(Gate):
    """Stock is counted in a transaction after the claim."""

    late = ()

    def judge(self, opened, asks, *, now):
        late, self.late = self.late, ()
        super().reserve(opened, late, now=now)
        return super().judge(opened, asks, now=now)

    def reserve(self, opened, asks, *, now):
        super().reserve(opened, [replace(ask, offer_id="") for ask in asks], now=now)
        self.late = [ask for ask in asks if ask.offer_id]


@bug
@contextmanager
def stock_outside_transaction():
    """A coupon is taken from the stock after the claim has committed."""
    yield {"gate": LateStock}


@bug
@contextmanager
def lane_starvation():
    """Marketing that came first goes first."""
    turned = sending.LANES[::-1]
    with patch.object(sending, "LANES", turned), patch.object(sending, "URGENT", turned[:1]):
        yield {}


@bug
def blind_retry():
    """A provider that knows no keys is sent again what it did not confirm."""

    def take_over(self, channel, recovery, key_seconds, **named):
        is_blind = recovery is Recovery.HOLD_UNKNOWN
        recovery = Recovery.RESEND if is_blind else recovery
        return _TAKE_OVER(self, channel, recovery, 10**9 if is_blind else key_seconds, **named)

    return method(Ledger, "take_over", take_over)


class KeepsTheCap(Gate):
    """What the provider refused still counts."""

    def give_back(self, opened, asks, *, at):
        pass


@bug
@contextmanager
def refusal_not_given_back():
    """A refused contact keeps its place under the cap and its coupon."""
    yield {"gate": KeepsTheCap}


@bug
def cancelled_run_goes_on():
    """Who was in the air when a run was called off is contacted later."""
    return method(Ledger, "_called_off", staticmethod(lambda *_: {}), likely={"cancel": 8})


@bug
def clock_trusted():
    """A clock set back makes old keys look young."""
    return method(
        Ledger,
        "follow_clock",
        lambda self, now: None,
        likely={"clock_steps": 6, "time_passes": 2},
        faults=("timeout",),
        one_machine=False,
    )


@bug
def busy_taken_for_not_taken():
    """A provider too busy for a second attempt is believed to have refused the first."""

    def settle(self, held, *given, **named):
        return _SETTLE(self, [replace(one, is_doubtful=False) for one in held], *given, **named)

    return method(Ledger, "settle", settle)


@bug
def settled_without_claim_check():
    """An answer that comes late changes a contact somebody else has settled."""
    anybodys = "WHERE key IN (SELECT value FROM json_each(:keys))"
    changed = (
        "not_taken",
        f"{anybodys} AND owner = :owner\n  AND state IN ('claimed', 'unknown')",
        f"{anybodys} AND :owner <> ''",
    )
    return statement(changed, faults=("slow_busy",))
