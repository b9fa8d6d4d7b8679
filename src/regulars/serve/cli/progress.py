"""Progress of long work, on the terminal's error stream."""

from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def stages(*, quiet: bool) -> Generator[Callable[[str, float], None]]:
    """Show a bar per stage.

    Args:
        quiet: True shows nothing.

    Yields:
        A function told "stage: what it does now" and how much of the stage is done, 0 to 1.
    """
    if quiet:
        yield lambda _what, _share: None
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.fields[stage]:<22}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        known: dict[str, int] = {}

        def told(what: str, share: float) -> None:
            stage, _, now = what.partition(": ")
            if stage not in known:
                known[stage] = bars.add_task(now, total=1.0, stage=stage)
            bars.update(known[stage], completed=share, description=now)  # type: ignore[arg-type]

        yield told
