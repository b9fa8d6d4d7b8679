"""`make bench`: run every benchmark here; each measures us and its peer in the same process.

A benchmark is a file `<station>_<feature>.py` with a function `main() -> list[Ratio]`-like rows:
mappings with the keys what, ours, peer, ours_seconds and peer_seconds.
"""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def line(row: Mapping[str, Any]) -> str:
    """Give one result: both times and how many times faster ours was."""
    ratio = row["peer_seconds"] / row["ours_seconds"]
    return (
        f"{row['what']}: {row['ours']} {row['ours_seconds']:.3f} s, "
        f"{row['peer']} {row['peer_seconds']:.3f} s, {ratio:.1f} times as fast"
    )


def main(names: Iterable[str]) -> None:
    """Run the benchmarks named, all of them when none is."""
    wanted = set(names)
    for path in sorted(HERE.glob("[a-z]*.py")):
        if wanted and path.stem not in wanted:
            continue
        for row in import_module(path.stem).main():
            print(line(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
