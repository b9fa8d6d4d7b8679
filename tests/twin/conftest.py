"""Twins small enough to be begun in a test; the real households are counted once."""

from functools import cache

import numpy as np
import pytest

from regulars.twin import Contacts, Plan, Twin


@pytest.fixture(scope="session")
def begun():
    """Begin a twin, once per plan: gives it and its state at the end of the history."""

    @cache
    def begin(customers=2000, *, seed=7, world="normal", skin="us", history_weeks=4, turns=12):
        twin = Twin.begin(Plan(customers, seed, world, skin, history_weeks, turns))
        state = twin.first()
        for after, _ in twin.history():
            state = after
        return twin, state

    return begin


@pytest.fixture(scope="session")
def contact_everybody():
    """Contact every customer, offers and channels in turn."""

    def contacts(twin):
        rows = np.arange(len(twin.population.ids))
        return Contacts(rows, rows % 4, rows // 4 % 3)

    return contacts
