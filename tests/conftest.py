"""Fixtures every test may use, and the rule that nothing skips where CI runs."""

import os
from pathlib import Path

import pytest

# One BLAS thread: the order of a sum must not depend on the machine.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

SHARED = Path(__file__).parents[2] / "shared" / "data"
ABSENT = "data not shipped with the project: "


@pytest.fixture
def shared_data():
    """Give the folder of one data set beside the checkout; skip where it is absent."""

    def folder(name):
        if not (SHARED / name).is_dir():
            pytest.skip(f"{ABSENT}../shared/data/{name}")
        return SHARED / name

    return folder


@pytest.fixture(scope="session")
def postgresql():
    """Give a running PostgreSQL server; skip where none is installed."""
    from regulars.testing.postgresql import running_server, server_programs

    if server_programs() is None:
        pytest.skip("PostgreSQL is not installed; run: requirements/system-packages")
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def sail():
    """Give the Python of the second engine's environment; skip where it is not installed."""
    python = Path(__file__).parents[1] / ".venv" / "sail" / "bin" / "python"
    if not python.exists():
        pytest.skip("the second engine is not installed; run: requirements/engine-packages")
    return python


def pytest_terminal_summary(terminalreporter):
    """In CI a skipped test is a failed run, but for data that is not shipped."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if ABSENT not in str(report.longrepr)
    ]
    if skipped and os.environ.get("CI") == "true":
        for report in skipped:
            terminalreporter.write_line(f"skipped in CI: {report.nodeid}: {report.longrepr}")
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED
