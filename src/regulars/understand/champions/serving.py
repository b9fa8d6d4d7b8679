"""Which recipe of each model serves in a turn, and what happens when it cannot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from regulars.errors import NotReady
from regulars.understand.champions.family import DEFAULTS, Family

Made = TypeVar("Made")


@dataclass(frozen=True)
class Serving:
    """Who serves, and who did before.

    Attributes:
        family: What the model answers.
        ladder: The champion, then the champions before it; the default is always among them.
        from_turn: First turn the champion served in; 0 when it is the default from the start.
        fell: Told that a recipe could not serve, which one does instead, and why.
    """

    family: Family
    ladder: tuple[str, ...]
    from_turn: int = 0
    fell: Callable[[str, str, str], None] = lambda _name, _instead, _why: None

    @property
    def champion(self) -> str:
        """The recipe that serves."""
        return self.ladder[0]

    def make(self, build: Callable[[str], Made], check: Callable[[Made], str]) -> Made:
        """Build with the champion, or with the newest champion before it that can.

        Args:
            build: Makes the result by the recipe of a name.
            check: Says what is wrong with a result; "" when it may serve.

        Returns:
            The first result that may serve.

        Raises:
            NotReady: There is too little to learn from, says the last of them too.
            ArithmeticError: Not even that one gives a result that may serve.
        """
        wrong = why = ""
        for name in self.ladder:
            try:
                made = build(name)
            except Exception as error:  # whatever a recipe does, the one before it may serve
                if isinstance(error, NotReady) and name == self.ladder[-1]:
                    raise
                why = f"{type(error).__name__}: {error}"
            else:
                why = check(made)
                if not why:
                    if wrong:
                        self.fell(self.champion, name, wrong)
                    return made
            wrong = wrong or why
        raise ArithmeticError(
            f"no recipe of {self.family.value} may serve, not even {self.ladder[-1]}: {why}; "
            "check the facts of the last import"
        )


def default_serving(family: Family) -> Serving:
    """Give what serves where nobody was ever promoted."""
    return Serving(family, (DEFAULTS[family],))


def default_servings() -> Mapping[Family, Serving]:
    """Give the defaults of all families."""
    return {family: default_serving(family) for family in Family}
