"""The catalogue: corrections are versions, the history says what held when, files are a way in."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.decide.offers.definition import KINDS, as_row, offer_from, offer_of_row, read_offers
from regulars.decide.offers.keeping.service import (
    adopt,
    catalogue_rows,
    difference,
    history,
    offer_in_force,
    offers_in_force,
    put_offer,
)
from regulars.errors import InputError, UnknownName

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
TEN = {"offer_id": "ten", "name": "ten", "kind": "percent", "share": "0.1"}
ROW = {
    "offer_id": "ten",
    "name": "ten",
    "family": "percent_off",
    "discount_share": 0.1,
    "planned_cost": Decimal(1),
    "margin_floor": 0.05,
    "channels": "sms",
    "stock": 40,
}


@pytest.fixture
def state(tmp_path):
    migrate(f"sqlite:///{tmp_path / 'state.db'}")
    return SQLState(f"sqlite:///{tmp_path / 'state.db'}")


def keep(state, *, at=NOW, valid_from=None, **changes):
    offer = offer_from(TEN | changes, "ten")
    return put_offer(state, offer, actor="mei", now=at, valid_from=valid_from)


def share_at(state, moment):
    with state.reading() as opened:
        kept = offer_in_force(opened, "ten", at=moment)
    return kept and kept.offer.share


def test_a_corrected_offer_is_the_next_version_and_the_first_keeps_its_days(state):
    day = timedelta(days=1)
    keep(state)
    keep(state, at=NOW + day, share="0.2")
    keep(state, at=NOW + day, share="0.3", valid_from=NOW + 5 * day)

    first, second, third = history(state, "ten")

    assert [one.version for one in (first, second, third)] == [1, 2, 3]
    assert (first.valid_from, first.valid_to) == (NOW, NOW + day)
    assert difference(first.offer, second.offer) == {"share": ("0.1", "0.2")}
    shares = [share_at(state, NOW + days * day) for days in (-1, 0, 1, 4, 5)]
    assert shares == [None, Decimal("0.1"), Decimal("0.2"), Decimal("0.2"), Decimal("0.3")]
    assert third.valid_to is None


def test_the_same_offer_again_is_no_new_version(state):
    keep(state)

    assert keep(state, at=NOW + timedelta(days=1)).version == 1


def test_history_cannot_be_rewritten(state):
    keep(state)

    with pytest.raises(InputError, match="cannot hold from"):
        keep(state, share="0.2", valid_from=NOW - timedelta(days=1))
    with pytest.raises(UnknownName, match="known: ten"):
        history(state, "eleven")


def test_files_are_taken_in_once_and_never_overwrite_what_people_kept(state):
    assert adopt(state, [ROW], zone="Asia/Shanghai", now=NOW) == ["ten"]
    keep(state, share="0.2", at=NOW + timedelta(days=1))

    assert adopt(state, [ROW | {"discount_share": 0.3}], zone="Asia/Shanghai", now=NOW) == []

    rows = catalogue_rows([ROW], offers_in_force(state, at=NOW + timedelta(days=2)))
    assert [row["discount_share"] for row in rows] == [0.2]
    assert share_at(state, NOW - timedelta(days=400)) == Decimal("0.1")


def test_an_imported_row_comes_out_as_it_went_in(state):
    row = as_row(offer_of_row(ROW, zone="Asia/Shanghai"))

    assert {name: row[name] for name in ROW} == ROW


def test_the_days_of_an_offer_are_those_of_its_zone():
    offer = offer_from(
        TEN | {"starts_on": "2026-03-02", "ends_on": "2026-03-02", "zone": "Asia/Shanghai"}, "ten"
    )

    begins = datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert [offer.runs_at(begins + timedelta(hours=h)) for h in (-1, 0, 23, 24)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert offer.code_ends_at(begins) == begins + timedelta(days=1)
    later = msgspec.structs.replace(offer, ends_on=date(2026, 3, 31), valid_days=7)
    assert later.code_ends_at(begins) == begins + timedelta(days=8)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"share": "1.2"}, "share is 1.2, must be above 0 and at most 1"),
        ({"kind": "bogus"}, "Invalid enum value 'bogus'"),
        ({"shre": 1}, "unknown field `shre`"),
        ({"kind": "threshold"}, "steps are missing"),
        ({"kind": "threshold", "steps": [{"spend": 10, "off": 20}]}, "takes 20 off 10"),
        (
            {"kind": "threshold", "steps": [{"spend": 10, "off": 5}, {"spend": 20, "off": 5}]},
            "takes off no more than the one below",
        ),
        ({"kind": "gift"}, "name the product that is given"),
        ({"kind": "points"}, "must be above 1"),
        ({"planned_cost": "0.001"}, "in whole cents"),
        ({"ends_on": "2026-01-01", "starts_on": "2026-02-01"}, "before starts_on"),
        ({"zone": "Mars/Base"}, "must be an IANA zone"),
        ({"margin_floor": 2}, "shares from 0 to 1"),
        ({"offer_id": "a b"}, "must be 1 to 64 letters"),
    ],
)
def test_an_offer_that_cannot_be_used_says_what_is_wanted(changes, hint):
    with pytest.raises(InputError, match=hint):
        offer_from(TEN | changes, "ten")


def test_a_file_holds_an_offer_of_every_kind(tmp_path):
    (tmp_path / "offers.toml").write_text(
        """
        [a]
        name = "a"
        kind = "percent"
        share = 0.1
        [b]
        name = "b"
        kind = "amount"
        amount = 5
        [c]
        name = "c"
        kind = "threshold"
        steps = [{ spend = 300, off = 40 }]
        [d]
        name = "d"
        kind = "gift"
        gift = "p1"
        gift_cost = 3.5
        [e]
        name = "e"
        kind = "free_shipping"
        [f]
        name = "f"
        kind = "points"
        multiplier = 2
        [g]
        name = "g"
        kind = "news"
        zone = "Europe/Paris"
        """,
        encoding="utf-8",
    )

    offers = read_offers(tmp_path / "offers.toml", zone="Asia/Shanghai")

    assert tuple(offer.kind for offer in offers) == KINDS
    assert offers[0].share == Decimal("0.1")
    assert [offers[0].zone, offers[6].zone] == ["Asia/Shanghai", "Europe/Paris"]
