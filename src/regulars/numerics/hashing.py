"""Counter-based random numbers: the same key gives the same number, in any order of asking."""

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1
_GAMMA_INT, _MIX_1_INT, _MIX_2_INT = int(_GAMMA), int(_MIX_1), int(_MIX_2)


def key_of(*parts: object) -> int:
    """Turn any parts into a 64-bit key.

    Args:
        parts: What names the draw: a seed, a campaign, a purpose.

    Returns:
        A whole number from 0 to 2**64 - 1, the same on every machine.

    Example:
        >>> key_of(7, "global") == key_of(7, "global"), key_of(7, "a") == key_of(7, "b")
        (True, False)
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def keys_of(names: "list[str] | NDArray[np.str_]") -> NDArray[np.uint64]:
    """Turn customer ids into 64-bit keys, to be used with `uniforms`.

    Args:
        names: Ids, shape (customers,).

    Returns:
        Keys, shape (customers,).

    Example:
        >>> int(keys_of(["ann"])[0]) == key_of("ann")
        True
    """
    return np.array([key_of(name) for name in names], dtype=np.uint64)


def keys_given(ids: ArrayLike) -> NDArray[np.uint64]:
    """Take keys as they are, and turn anything else into keys.

    Args:
        ids: Keys of `keys_of`, or customer ids in a list, an array or a column, shape
            (customers,). A whole number has the key of its digits.

    Returns:
        Keys, shape (customers,).

    Raises:
        InputError: They are not one id per customer, or one is missing.

    Example:
        >>> bool((keys_given([1, 2]) == keys_of(["1", "2"])).all())
        True
    """
    if isinstance(ids, np.ndarray) and ids.dtype == np.uint64:
        return ids
    found = np.asarray(ids.to_pyarrow() if hasattr(ids, "to_pyarrow") else ids)
    if found.ndim != 1:
        raise InputError(f"ids have shape {found.shape}; give one per customer, such as a column")
    if not all(isinstance(one, str | int) for one in found.tolist()):
        raise InputError("an id is missing or a fraction; give text or whole numbers")
    return keys_of(found.tolist())


def uniforms(keys: NDArray[np.uint64], *purpose: object) -> NDArray[np.float64]:
    """Draw one uniform number per key for one purpose.

    Args:
        keys: One 64-bit key per customer, shape (customers,).
        purpose: What the draw is for, such as (seed, week, "visits"); another purpose gives
            independent numbers.

    Returns:
        Numbers in (0, 1), shape (customers,).

    Source:
        Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators",
        OOPSLA '14: the SplitMix64 finaliser over key + purpose.

    Example:
        >>> u = uniforms(keys_of(["ann", "bob"]), 7, "holdout")
        >>> bool(((u > 0) & (u < 1)).all()), bool(u[0] == u[1])
        (True, False)
    """
    with np.errstate(over="ignore"):
        mixed = (keys ^ np.uint64(key_of(*purpose))) * _GAMMA + _GAMMA
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / float(2**53)


def mixed(key: int, purpose: int) -> float:
    """Draw the number `uniforms` gives for one key, without an array.

    Args:
        key: A 64-bit key, as `key_of` gives.
        purpose: What the draw is for: `key_of` of its parts.

    Returns:
        A number in (0, 1).

    Example:
        >>> bool(mixed(key_of("ann"), key_of(7, "x")) == uniforms(keys_of(["ann"]), 7, "x")[0])
        True
    """
    found = ((key ^ purpose) * _GAMMA_INT + _GAMMA_INT) & _MASK
    found = ((found ^ (found >> 30)) * _MIX_1_INT) & _MASK
    found = ((found ^ (found >> 27)) * _MIX_2_INT) & _MASK
    found ^= found >> 31
    return ((found >> 11) + 0.5) / 9007199254740992.0
