"""What a caller gave, as one kind of array; or an error that says what it holds instead."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError, UnknownName

Floats = NDArray[np.float64]
Word = TypeVar("Word", bound=StrEnum)

WORDS = "words"
KINDS = {"U": WORDS, "S": WORDS, "T": WORDS, "M": "dates", "m": "times", "c": "complex numbers"}
"""What arrays of these NumPy kinds hold, for messages."""


def floats_given(
    values: ArrayLike,
    name: str,
    *,
    axes: int | None = 1,
    least: float = -np.inf,
    most: float = np.inf,
    may_lack: bool = False,
    may_be_infinite: bool = False,
) -> Floats:
    """Take numbers, from whatever an analyst holds them in.

    Args:
        values: A list, a NumPy, Arrow or Ibis column, a pandas or polars one; for two axes also
            a frame, a table, or a mapping of columns.
        name: What they are called, for messages.
        axes: 1 for one number per row, 2 for a row of numbers each; None for any.
        least: Least that is allowed.
        most: Most that is allowed.
        may_lack: True where nan says that a number is not known.
        may_be_infinite: True where a number may have no end.

    Returns:
        The numbers. One column of two axes is taken as one axis, where that is wanted.

    Raises:
        InputError: They are words, dates or nothing, of another shape, lack a number, or one is
            out of its range.

    Example:
        >>> floats_given([1, True, 2.5], "spend").tolist()
        [1.0, 1.0, 2.5]
        >>> try:
        ...     floats_given(["ten"], "spend")
        ... except InputError as error:
        ...     print(error)
        spend holds words, such as 'ten'; give numbers
    """
    found = _numbers(values, name)
    if axes == 1 and found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if axes is not None and found.ndim != axes:
        wanted = "one number per row" if axes == 1 else "rows of numbers, such as a frame"
        raise InputError(f"{name} has shape {found.shape}; give {wanted}")
    if not may_lack and np.isnan(found).any():
        raise InputError(f"{name} holds nan or nothing; leave such rows out, or fill in 0")
    if not may_be_infinite and np.isinf(found).any():
        raise InputError(f"{name} holds an infinite number; leave such rows out")
    outside = (found < least) | (found > most)
    if outside.any():
        raise InputError(f"{name} is {found[outside].flat[0]:g}, must be {_range(least, most)}")
    return found


def flags_given(values: ArrayLike, name: str, *, axes: int | None = 1) -> NDArray[np.bool_]:
    """Take yes or no for each row: True and False, or 1 and 0.

    Args:
        values: As for `floats_given`.
        name: What they are called, for messages.
        axes: 1 for one flag per row, 2 for a row of flags each; None for any.

    Returns:
        The flags. A column of words is refused, since "No" would count as true.

    Raises:
        InputError: They are anything else.

    Example:
        >>> flags_given([1, 0, True], "treated").tolist()
        [True, False, True]
    """
    found = floats_given(values, name, axes=axes)
    if not np.isin(found, (0.0, 1.0)).all():
        odd = found[~np.isin(found, (0.0, 1.0))][0]
        raise InputError(f"{name} is {odd:g}, must be true or false, or 0 or 1")
    return np.asarray(found == 1)


def places_given(values: ArrayLike, name: str, *, places: int | None = None) -> NDArray[np.int64]:
    """Take a whole number from 0 for each row, such as the number of an arm.

    Args:
        values: As for `floats_given`, one axis.
        name: What they are called, for messages.
        places: How many there are; None where that is not known.

    Returns:
        The numbers.

    Raises:
        InputError: One is no whole number, below 0, or not below `places`.

    Example:
        >>> places_given([True, False, 2.0], "arm").tolist()
        [1, 0, 2]
    """
    most = np.inf if places is None else places - 1
    found = floats_given(values, name, least=0, most=most)
    if (found != np.floor(found)).any():
        odd = found[found != np.floor(found)][0]
        raise InputError(f"{name} is {odd:g}, must be a whole number")
    return found.astype(np.int64)


def columns_given(values: Any) -> list[str]:
    """Give the names of the columns, where what was given has any.

    Args:
        values: As for `floats_given`, two axes.

    Returns:
        The names; empty for a plain array.

    Example:
        >>> columns_given({"visits": [1.0], "silence": [2.0]})
        ['visits', 'silence']
    """
    if hasattr(values, "to_pyarrow"):
        return list(getattr(values, "columns", ()))
    return [str(name) for name in _columns(values) or ()]


def number_given(
    value: Any,
    name: str,
    *,
    least: float = -np.inf,
    most: float = np.inf,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """Take one number.

    Args:
        value: The number.
        name: What it is called, for messages.
        least: Least that is allowed.
        most: Most that is allowed.
        above: What it must be above; None for no such limit.
        below: What it must be below; infinite for any finite number, None for no such limit.

    Returns:
        The number.

    Raises:
        InputError: It is no single number, nan, or out of its range.

    Example:
        >>> number_given(3, "budget", least=0)
        3.0
    """
    if isinstance(value, int | float):
        number = float(value)
    else:
        found = _numbers(value, name)
        if found.ndim:
            raise InputError(f"{name} has shape {found.shape}; give one number")
        number = float(found)
    is_inside = least <= number <= most and (above is None or number > above)
    if np.isnan(number):
        raise InputError(f"{name} is nan; give a number")
    if not is_inside or (below is not None and number >= below):
        wanted = [_range(least, most)] if (least, most) != (-np.inf, np.inf) else []
        wanted += [] if above is None else [f"above {above:g}"]
        wanted += ["finite" if below == np.inf else f"below {below:g}"] if below is not None else []
        raise InputError(f"{name} is {number:g}, must be {' and '.join(wanted) or 'a number'}")
    return number


def level_given(level: Any) -> float:
    """Take the coverage of an interval.

    Args:
        level: The coverage, in (0, 1).

    Returns:
        The coverage.

    Raises:
        InputError: It is no number between 0 and 1.

    Example:
        >>> level_given(0.95)
        0.95
    """
    found = number_given(level, "level")
    if not 0 < found < 1:
        raise InputError(f"level is {found:g}, must be between 0 and 1, such as 0.95")
    return found


def word_given(value: Any, kind: type[Word], name: str) -> Word:
    """Take one of some words, as such or as the member that stands for it.

    Args:
        value: The word.
        kind: The words there are.
        name: What is chosen by it, for messages.

    Returns:
        The member.

    Raises:
        UnknownName: There is no such word.

    Example:
        >>> class Side(StrEnum):
        ...     LEFT = "left"
        >>> word_given("left", Side, "side").name
        'LEFT'
    """
    try:
        return kind(value)
    except ValueError:
        raise UnknownName(name, str(value), [str(one) for one in kind]) from None


def require_one_length(**columns: NDArray[Any]) -> None:
    """Refuse columns of which one is longer than another.

    Args:
        columns: Arrays by what they are called.

    Raises:
        InputError: Their lengths differ.

    Example:
        >>> require_one_length(x=np.zeros(2), y=np.ones(2))
    """
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{name} has {size} rows" for name, size in sizes.items())
        raise InputError(f"{said}; give one of each per customer")


def require_fit(**parts: NDArray[Any]) -> None:
    """Refuse arrays that do not broadcast to one shape.

    Args:
        parts: Arrays by what they are called.

    Raises:
        InputError: Their shapes do not fit each other.

    Example:
        >>> require_fit(count=np.zeros(3), level=np.ones(()))
    """
    try:
        np.broadcast_shapes(*(part.shape for part in parts.values()))
    except ValueError:
        said = ", ".join(f"{name} has shape {part.shape}" for name, part in parts.items())
        raise InputError(f"{said}; these do not fit, give one of each per row") from None


def _numbers(values: Any, name: str) -> Floats:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return np.ma.filled(values, np.nan) if np.ma.isMaskedArray(values) else values
    if values is None:
        raise InputError(f"{name} is None; give numbers")
    found = _plain(values, name)
    if found.dtype.kind in KINDS:
        raise InputError(f"{name} holds {KINDS[found.dtype.kind]}{_such_as(found)}; give numbers")
    if found.dtype.kind == "O":
        words = [one for one in found.flat if isinstance(one, str | bytes)]
        if words:
            raise InputError(f"{name} holds words, such as {words[0]!r}; give numbers")
    try:
        return np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        odd = next((one for one in found.flat if not _is_number(one)), None)
        raise InputError(
            f"{name} holds what is no number, such as {odd!r}; give numbers, nan where unknown"
        ) from None


def _plain(values: Any, name: str) -> NDArray[Any]:
    if hasattr(values, "to_pyarrow"):  # an Ibis column or table
        values = values.to_pyarrow()
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    columns = _columns(values)
    if columns is not None:
        found = [_numbers(column, f"column {word!r} of {name}") for word, column in columns.items()]
        require_one_length(**{str(word): one for word, one in zip(columns, found, strict=True)})
        if not found:
            raise InputError(f"{name} has no column; give numbers")
        return np.stack(found, axis=1)
    try:
        return np.asarray(values)
    except ValueError:
        raise InputError(f"{name} has rows of different lengths; give as many in each") from None


def _columns(values: Any) -> Mapping[Any, Any] | None:
    if hasattr(values, "column_names"):  # an Arrow table
        return {name: values.column(name) for name in values.column_names}
    if hasattr(values, "iloc") and values.ndim == 2:  # a pandas frame
        return dict(values.items())
    if hasattr(values, "iter_columns"):  # a polars frame
        return {column.name: column for column in values.iter_columns()}
    return values if isinstance(values, Mapping) else None


def _such_as(found: NDArray[Any]) -> str:
    return f", such as '{found.flat[0]!s:.40}'" if found.size else ""


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _range(least: float, most: float) -> str:
    if most == np.inf:
        return f"{least:g} or more"
    return f"at most {most:g}" if least == -np.inf else f"from {least:g} to {most:g}"
