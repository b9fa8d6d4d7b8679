"""Which dialect a path speaks."""

from collections.abc import Callable, Mapping
from functools import partial

from regulars.collect.tracking.dialects import segment
from regulars.collect.tracking.parsed import Parsed, Refused, Request

Parser = Callable[[Request], Parsed]
_SINGLE = {
    "identify": "i",
    "track": "t",
    "page": "p",
    "screen": "s",
    "group": "g",
    "alias": "a",
}


def parse(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Parsed:
    """Read a tracking request of any client.

    Args:
        method: "GET" or "POST".
        path: Path without the query.
        query: The query as sent, without the question mark.
        headers: Headers by lower-case name.
        body: The body as sent, packed or not.

    Returns:
        Its events as lines, with what to answer once they are safe.

    Raises:
        Refused: The path is none of ours, the body is unreadable, or no key came with it.
    """
    found = PARSERS.get((method, path.rstrip("/")))
    if found is None:
        raise Refused(404, "unknown_path", f"{method} {path[:200]} takes no events")
    return found(Request(method, path, query, headers, body))


def _table() -> dict[tuple[str, str], Parser]:
    table: dict[tuple[str, str], Parser] = {}
    for kind, short in _SINGLE.items():
        table["POST", f"/v1/{kind}"] = table["POST", f"/v1/{short}"] = partial(
            segment.parse, kind=kind
        )
    for name in ("batch", "b", "import"):
        table["POST", f"/v1/{name}"] = segment.parse
    return table


PARSERS = _table()
