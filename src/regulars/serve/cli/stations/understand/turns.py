"""What the commands on scores share: the workspace, the turn, its rows."""

from pathlib import Path
from typing import Annotated, Any

import typer

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
OfTurn = Annotated[int, typer.Option(min=0, help="Turn that scored; the last one by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def rows_of_turn(folder: Path, turn: int, *tables: str) -> tuple[int, dict[str, list[Any]]]:
    """Read the rows of one turn.

    Args:
        folder: The workspace.
        turn: The turn; 0 for the last one that wrote the first table.
        tables: Names of tables written turn by turn.

    Returns:
        The turn, and the rows by table, in the order of their keys.

    Raises:
        NotReady: No turn has written the first table yet.
    """
    from ibis import _  # noqa: PLC0415 - slow to import

    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.errors import NotReady  # noqa: PLC0415
    from regulars.records import TABLES  # noqa: PLC0415

    engine = open_app(folder).engine
    [newest] = engine.rows(engine.table(tables[0]).agg(turn=_.turn.max()))
    wanted = turn or newest["turn"]
    if wanted is None:
        raise NotReady("no turn has scored anything yet; run: regulars run")
    found = {
        name: engine.rows(engine.table(name).filter(_.turn == wanted).order_by(*TABLES[name].key))
        for name in tables
    }
    return int(wanted), found
