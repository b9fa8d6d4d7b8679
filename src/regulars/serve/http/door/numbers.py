"""Numbers a request may name: the stores hold no larger ones."""

from typing import Annotated

from fastapi import Path, Query

MOST_NUMBER = 2**31 - 1
NumberInPath = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
TurnAsked = Annotated[int, Query(ge=0, le=MOST_NUMBER)]
