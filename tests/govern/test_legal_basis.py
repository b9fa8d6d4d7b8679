"""Sources of personal data stay closed until somebody records what allows them."""

from datetime import UTC, datetime

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.legal_basis import BASES, GATED
from regulars.govern.legal_basis.service import (
    add_legal_basis,
    legal_bases,
    require_legal_basis,
    withdraw_legal_basis,
)

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def add(state, source="floor", kind="ble", basis="consent", evidence="notice-7.pdf", **more):
    return add_legal_basis(
        state,
        source=source,
        kind=kind,
        basis=basis,
        evidence=evidence,
        actor="ann",
        now=NOW,
        **more,
    )


@pytest.mark.parametrize("kind", GATED)
def test_every_gated_kind_is_shut_until_a_basis_is_recorded_and_after_it_ends(state, kind):
    basis = min(GATED[kind][0])
    with pytest.raises(NotAllowed, match=f"legal-basis add floor --kind {kind} --basis {basis}"):
        require_legal_basis(state, source="floor", kind=kind)
    add(state, kind=kind, basis=basis)
    require_legal_basis(state, source="floor", kind=kind)
    withdraw_legal_basis(state, source="floor", actor="ann", now=NOW)

    with pytest.raises(NotAllowed):
        require_legal_basis(state, source="floor", kind=kind)


def test_a_basis_holds_for_its_own_source_and_kind_only(state):
    add(state)

    for source, kind in (("roof", "ble"), ("floor", "camera")):
        with pytest.raises(NotAllowed):
            require_legal_basis(state, source=source, kind=kind)
    require_legal_basis(state, source="anything", kind="door")


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"kind": "smell"}, UnknownName),
        ({"basis": "interest"}, UnknownName),
        ({"kind": "camera", "basis": "consent"}, InputError),
        ({"evidence": "  "}, InputError),
    ],
)
def test_a_basis_that_cannot_carry_the_source_is_refused(state, wrong, kind):
    with pytest.raises(kind):
        add(state, **wrong)

    assert legal_bases(state) == []


def test_what_was_recorded_is_kept_with_an_audit_entry(state):
    add(state)
    add(state, basis="separate_consent", article="PIPL Art. 23")

    [found] = legal_bases(state)
    assert (found.basis, found.article, found.recorded_by) == (
        "separate_consent",
        "PIPL Art. 23",
        "ann",
    )
    assert BASES["consent"] == "PIPL Art. 13(1)"
    with pytest.raises(UnknownName):
        withdraw_legal_basis(state, source="roof", actor="ann", now=NOW)
    with state.reading() as transaction:
        rows = transaction.all("select action, subject from audit_log order by number")
    assert [(r["action"], r["subject"]) for r in rows] == [("legal_basis.add", "floor")] * 2
