"""A till that messages are told to."""

import pytest
from tests.collect.commerce.telling import Till


@pytest.fixture
def till(tmp_path):
    """Give a till in an empty lake."""
    return Till(tmp_path)
