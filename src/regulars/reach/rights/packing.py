"""The copy a person gets of his data: one file for machines, one page for people."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from regulars.reach.rights.law import read_law

DATA_FILE = "data.json"
PAGE_FILE = "data.html"
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}
td{overflow-wrap:anywhere}th{background:#f3f3f0}"""


def as_json(pack: Mapping[str, Any]) -> str:
    """Write a pack for machines: PIPL Art. 45 and GDPR Art. 20 ask for a common form.

    Args:
        pack: What `give_access` gave.

    Returns:
        JSON, keys in order.
    """
    return json.dumps(pack, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def as_page(pack: Mapping[str, Any], *, retailer: str) -> str:
    """Write a pack for people, in Chinese and English.

    Args:
        pack: What `give_access` gave.
        retailer: Who keeps the data.

    Returns:
        One HTML page that needs nothing else.

    Example:
        >>> page = as_page({"made_at": "2026", "ids": ["<1>"], "rows": {}, "means": {},
        ...     "clear_values": {}}, retailer="shop")
        >>> "&lt;1&gt;" in page, "<1>" in page
        (True, False)
    """
    ids = ", ".join(map(_text, pack["ids"]))
    parts = [
        "<!doctype html>",
        f'<html lang="zh-CN"><meta charset="utf-8"><title>{_text(retailer)}</title>',
        f"<style>{_STYLE}</style>",
        f"<h1>{_text(retailer)}：您的个人信息副本 · A copy of your data</h1>",
        f"<p>{_text(pack['made_at'])} · {ids}</p>",
        f"<p>{_text(read_law().article_by_kind['access'])}</p>",
    ]
    if pack["clear_values"]:
        rows = [{"": token, "明文 value": text} for token, text in pack["clear_values"].items()]
        parts += ["<h2>联系方式等 · Addresses and the like</h2>", _table(rows)]
    for name, rows in pack["rows"].items():
        parts += [f"<h2>{_text(name)}</h2>", f"<p>{_text(pack['means'].get(name, ''))}</p>"]
        parts.append(_table(rows))
    return "\n".join(parts) + "\n</html>\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{_text(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(row.get(name))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _text(value: Any) -> str:
    return "" if value is None else html.escape(str(value))
