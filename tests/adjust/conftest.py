"""The loop in a retailer whose text messages are lost from turn 5 on, lived once for all tests."""

import pytest

from regulars.rehearse.twin_run import run_in_twin
from regulars.twin import Plan


@pytest.fixture(scope="session")
def outage_app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outage")
    return run_in_twin(folder, Plan(1000, 5, "outage", turns=8), workers=2).app


@pytest.fixture(scope="session")
def outage(outage_app):
    return outage_app.engine
