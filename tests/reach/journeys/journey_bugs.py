"""Bugs other journey engines ship, planted one at a time: the simulation must see each."""

from contextlib import contextmanager
from unittest.mock import patch

from regulars.ports.state import Statement
from regulars.reach.journeys.advancing import service as advancing
from regulars.reach.journeys.entering import service as entering
from regulars.reach.journeys.keeping.publishing import moving
from regulars.reach.journeys.keeping.publishing import service as publishing
from regulars.reach.journeys.running import service as running
from regulars.reach.journeys.running.calling import service as calling
from regulars.reach.journeys.walking import moments, walk

BUGS = {}


def bug(make):
    """Register a planted bug by the name of its function."""
    BUGS[make.__name__] = make
    return make


@contextmanager
def statement(module, *changes):
    """Change the text of named statements of a module: (name, old text, new text)."""
    statements = dict(module._SQL._statements)
    for name, old, new in changes:
        text = str(statements[name])
        assert old in text, f"{name} has no {old!r} any more"
        statements[name] = Statement(text.replace(old, new), {})
    with patch.object(module._SQL, "_statements", statements):
        yield


def committed_between(opened):
    """End the transaction and begin another, as two transactions would."""
    inner = opened._opened
    inner.run("COMMIT")
    inner.run("BEGIN IMMEDIATE")


@bug
def step_recorded_before_the_state_moved():
    """The step is on disk, the state is not: whoever comes next takes the step again."""
    real = running._Group._write

    def write(self, cohort, before, walked, node):
        opened = self._opened

        class InTwo:
            def __getattr__(self, name):
                return getattr(opened, name)

            def run(self, sql, /, **values):
                done = opened.run(sql, **values)
                if sql == running._SQL["add_steps"]:
                    committed_between(opened)
                return done

        self._opened = InTwo()
        real(self, cohort, before, walked, node)

    return patch.object(running._Group, "_write", write)


@bug
def contacts_handed_over_after_the_state_moved():
    """The state is moved and on disk, the message is not: nobody sends it any more."""
    real = running._enrol

    def enrol(opened, joining, now):
        committed_between(opened)
        return real(opened, joining, now)

    return patch.object(running, "_enrol", enrol)


@bug
def action_outside_the_transaction():
    """What an action did stays when the window is rolled back."""
    real = running._Group.act

    def act(self, kind, doings):
        answers = real(self, kind, doings)
        committed_between(self._opened)
        return answers

    return patch.object(running._Group, "act", act)


@bug
def wake_lost_on_move():
    """Whoever is moved by a new version has no moment to go on any more."""
    return statement(publishing, ("move_to", "wake_at = :at", "wake_at = NULL"))


@bug
def moved_as_if_she_had_waited():
    """Whoever is moved does not arrive at the node: she leaves it at once."""
    return statement(publishing, ("move_to", "waits_for = -1", "waits_for = 0"))


@bug
def forgotten_by_the_new_version():
    """Nodes both versions have keep the old version's words."""
    return statement(publishing, ("go_by", "SET version = :after", "SET version = version"))


@bug
def waits_keep_their_old_length():
    """A wait that was made longer is not longer for those inside."""
    return patch.object(moving, "_length", lambda _node: 0)


@bug
def entered_twice_by_one_event():
    """An event that is told again lets its customer in again."""
    return statement(
        entering,
        ("add", "value ->> 1, value ->> 2", "value ->> 1 || hex(randomblob(4)), value ->> 2"),
    )


@bug
def entered_while_inside():
    """Whoever is inside comes in again, whatever the rule says."""
    return statement(
        entering,
        ("before", "WHEN wake_at IS NULL THEN 0 ELSE 1", "WHEN wake_at IS NULL THEN 0 ELSE 0"),
    )


@bug
def events_forgotten_before_they_were_told():
    """A look that dies has forgotten the events it had read."""
    real = advancing.events_wait

    def events_wait(state, now, **options):
        waits = real(state, now, **options)
        if waits:
            with state.transaction() as opened:
                [first] = entering._earliest(opened, now, entering.BEFORE_ALL, 1)
                opened.run(entering._SQL["clear"], numbers=f"[{first['inbox_id']}]", kept_back="[]")
        return waits

    return patch.object(advancing, "events_wait", events_wait)


@bug
def time_out_before_the_event():
    """Whoever waits is let go on by time before events of earlier are told."""
    real = entering.call

    def call(opened, shelf, events, *, is_late=False, besides=()):
        return real(opened, shelf, events, is_late=True) if is_late else 0

    @contextmanager
    def both():
        with (
            patch.object(entering, "call", call),
            patch.object(running, "call_parked", lambda *_, **__: 0),
        ):
            yield

    return both()


@bug
def gone_on_by_time_within_one_look():
    """Whoever comes to a wait and is to leave it within one look hears of nothing there."""
    return patch.object(running, "call_parked", lambda *_, **__: 0)


@bug
def event_from_before_the_wait_counts():
    """What happened before a customer came to the wait ends it."""
    real = calling._signal

    def signal(book, row, event):
        return real(book, row, event | {"at": row["wake_at"]})

    return patch.object(calling, "_signal", signal)


@bug
def event_lost_while_paused():
    """What happens while a journey is paused is forgotten."""
    return statement(
        calling, ("matches", "j.state IN ('running', 'paused')", "j.state = 'running'")
    )


@bug
def paused_and_going_on():
    """A paused journey lets customers go on."""
    return statement(
        running,
        ("journeys", "state = 'running'", "state IN ('running', 'paused')"),
        ("state", "journey_id, state,", "journey_id, 'running' AS state,"),
    )


@bug
def held_out_and_walking():
    """Who is left alone for measuring walks like everybody else."""
    return patch.object(
        entering, "_assigned", lambda customers, _journey, _loop: [0] * len(customers)
    )


@bug
def late_look_shifts_everything():
    """Every look's own moment counts, however little it is late."""

    def taken_at(_due, now):
        return now

    return patch.object(running, "taken_at", taken_at)


@bug
def zone_of_the_shop():
    """Everybody's clock is the shop's."""
    return patch.object(
        running._Group, "_zones", lambda self, customers: [self._zone] * len(customers)
    )


@bug
def night_of_the_next_day():
    """A window over midnight takes the small hours for the day they are in."""
    real = moments.opens_at

    def opens_at(does, at, zone):
        opened = real(does, at, zone)
        return at if does.to_minute < does.from_minute and opened - at < 6 * 3_600_000 else opened

    return patch.object(walk, "opens_at", opens_at)
