"""What a step of the loop declares about itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REGISTRY: dict[str, "Step"] = {}


@dataclass(frozen=True)
class Step:
    """One step of the loop: the tables it reads, the tables it writes, the work.

    Attributes:
        name: Station and feature, such as "unify.profiles".
        reads: Tables it may open.
        writes: Tables it may write.
        run: The work: an engine first, then what else the step needs; gives rows written.
    """

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    run: Callable[..., Any]

    @property
    def station(self) -> str:
        """The room of the loop the step belongs to."""
        return self.name.partition(".")[0]


def step(*, reads: str, writes: str) -> Callable[[Callable[..., Any]], Step]:
    """Declare a step by the tables it reads and writes, space-separated.

    The step is named after its module: `regulars.unify.profiles.step` declares
    "unify.profiles".

    Returns:
        A decorator that turns the function into a registered `Step`.
    """

    def declare(run: Callable[..., Any]) -> Step:
        room = run.__module__.removeprefix("regulars.").removesuffix(".step")
        declared = Step(room, frozenset(reads.split()), frozenset(writes.split()), run)
        REGISTRY[room] = declared
        return declared

    return declare
