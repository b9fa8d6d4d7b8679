"""The loop: one turn, read top to bottom (`turn`), and how its steps are called (`calls`)."""

from regulars.loop.shop import Shop, dispatch_moment
from regulars.loop.turn import ACT, LEARN, LOOK, TurnReport, run_turn

__all__ = ["ACT", "LEARN", "LOOK", "Shop", "TurnReport", "dispatch_moment", "run_turn"]
