"""Workspaces to drain."""

import pytest
from tests.collect.drain.shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


@pytest.fixture
def new_shop(tmp_path):
    """Give what opens another shop."""
    number = iter(range(10**6))
    return lambda **parts: Shop(tmp_path / f"shop{next(number)}", **parts)
