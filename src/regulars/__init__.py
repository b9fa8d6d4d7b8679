"""Regulars (回头客): a closed-loop marketing system for retailers.

The path of one customer round the loop:

*collect* reads her orders, consents and answers from the retailer's files; a row that cannot be
right waits in quarantine. *unify* puts what is known of her into one profile as of a day.
*understand* says what she is worth and how she buys. *decide* asks the rules of contact what is
open to her, weighs what each offer through each channel is believed to cause against what it
costs, and draws an action, or silence, with a probability that is kept. *reach* hands the contact
over once, if her consent still stands in the very transaction that claims it; everybody ends in
one fate with a reason. *measure* compares those contacted with those held out at random.
*adjust* turns the difference into what the next turn believes and may spend. Then the loop turns
again, and *govern* has watched every step.

Example:
    `regulars.open("shop")` opens a workspace; its tables are read with `engine.table(...)`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from regulars.app import App

__all__ = ["open"]


def open(folder: "Path | str") -> "App":
    """Open a workspace made by `regulars init`.

    Args:
        folder: The workspace folder.

    Returns:
        The workspace: settings, lake, engine, state and channels, each opened when first used.

    Raises:
        NotReady: The folder is not a workspace.
    """
    from regulars.app import open_app  # noqa: PLC0415 - importing the package must stay light

    return open_app(folder)
