"""What changes about the twin from week to week, and how it is kept across a killed run."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.twin.population import Population

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

DEBT_WEEKS = 3
"""Weeks over which orders pulled forward are missing."""


@dataclass(frozen=True)
class State:
    """The twin at the end of a week.

    Attributes:
        week: Weeks lived, 0 before the first.
        shopping: False for customers gone quiet, shape (customers,).
        debt: Orders already made that would have come 1, 2, 3 weeks later, shape
            (customers, DEBT_WEEKS).
        fatigue: Fatigue left of earlier contacts, >= 0.
        consent: Channels allowed, shape (customers, channels).
    """

    week: int
    shopping: Booleans
    debt: Floats
    fatigue: Floats
    consent: Booleans


def first_state(population: Population) -> State:
    """Give the state before the first week: nobody was ever contacted."""
    customers = len(population.ids)
    return State(
        week=0,
        shopping=population.shopping,
        debt=np.zeros((customers, DEBT_WEEKS)),
        fatigue=np.zeros(customers),
        consent=population.consent,
    )


def save_state(state: State, path: Path) -> None:
    """Write a state in one step: after a kill the file holds the old state or the new one."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(
            file,
            week=np.asarray(state.week),
            shopping=state.shopping,
            debt=state.debt,
            fatigue=state.fatigue,
            consent=state.consent,
        )
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_state(path: Path) -> State:
    """Read a state back.

    Returns:
        The state as it was saved.

    Raises:
        InputError: The file is no state of a twin.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {part.name: file[part.name] for part in fields(State)}
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(
            f"{path} holds no state of a twin ({error}); remove its folder and begin again"
        ) from error
    return State(**(found | {"week": int(found["week"])}))
