"""Templates in the twin: events in, contacts out, measured, and tried with the same volumes."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from regulars.reach.journeys.dry_run.service import _Reading
from regulars.reach.journeys.templates.catalogue import NAMES
from regulars.rehearse.journeys.living import Life, rehearse_templates
from regulars.rehearse.journeys.truth import Truth
from regulars.twin import Contacts, Plan, Twin

PLAN = Plan(250, 7, skin="zh", history_weeks=6)
TWO_PER_CENT = 0.02


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """Two templates, two weeks."""
    one = Life(tmp_path_factory.mktemp("twin") / "shop", PLAN, ("price-drop", "welcome"), 0.2, 1)
    for _ in range(2):
        one.week(is_open=True)
    return one


def differing(readings):
    return [
        one.template
        for one in readings
        if abs(one.tried - one.handed) > TWO_PER_CENT * max(one.handed, 1)
    ]


def test_a_dry_run_over_what_was_recorded_has_the_volumes_of_the_real_run(life):
    readings = life.readings(2)

    assert [one.template for one in readings] == ["price-drop", "welcome"]
    assert all(one.handed > 10 and one.contacts > 0 for one in readings)
    assert all(one.held_out > 0 for one in readings)
    assert differing(readings) == []


def test_a_dry_run_that_forgets_who_is_left_alone_is_seen(life, monkeypatch):
    monkeypatch.setattr(
        _Reading, "_assigned", lambda _self, customers: np.zeros(len(customers), dtype=np.int64)
    )

    assert differing(life.readings(2))


def test_contacts_of_one_journey_are_no_truth_of_another():
    twin = Twin.begin(PLAN)
    state = list(twin.history())[-1][0]
    truth = Truth(twin, state, ["a", "b"])
    everybody = np.arange(200)
    truth.live(Contacts(everybody, np.ones_like(everybody), np.zeros_like(everybody)), ["a"] * 200)
    truth.live(Contacts.none(), [])
    told = truth.told()

    assert told["a"][1] != 0
    assert told["b"] == (0.0, 0)


def prove():
    """Every template, 90 days, four thousand customers.

    Returns:
        Per template what was sent, measured and true, for GUARANTEES.md.
    """
    with TemporaryDirectory() as folder:
        readings = rehearse_templates(Path(folder) / "shop", Plan(4000, 7, skin="zh"))
    assert [one.template for one in readings] == list(NAMES)
    assert differing(readings) == []
    read = [one for one in readings if one.status == "ok"]
    inside = sum(one.low <= one.truth <= one.high for one in read)
    return (
        f"8 templates, 91 days, 4,000 customers, {sum(one.contacts for one in readings):,} "
        f"contacts: {inside} of {len(read)} readable intervals hold the truth; dry runs hand over "
        f"{sum(one.tried for one in readings):,} messages, real runs "
        f"{sum(one.handed for one in readings):,}"
    )
