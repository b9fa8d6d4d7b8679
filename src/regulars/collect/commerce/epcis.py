"""EPCIS 2.0 events of a till become events of the Segment e-commerce spec."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from regulars.errors import InputError

SELLING = "retail_selling"
RETURNED = "returned"
_ORDER_KINDS = ("pos", "inv", "po", "rma")
_ABOUT_ORDER = {
    "total": "total",
    "shipping": "shipping",
    "tax": "tax",
    "discount": "discount",
    "coupon": "coupon",
    "currency": "currency",
    "storeID": "store_id",
    "orderedAt": "ordered_at",
    "returnID": "return_id",
}
_ABOUT_LINE = {
    "total": "total",
    "price": "price",
    "discount": "discount",
    "couponDiscount": "coupon_discount",
    "cost": "cost",
    "lineID": "line_id",
    "productID": "product_id",
}


def epcis_events(text: str | bytes) -> list[dict[str, Any]]:
    """Find the events of an EPCIS 2.0 JSON document.

    Args:
        text: An EPCISDocument, an EPCISQueryDocument, one event, a list of events, or one
            event per line.

    Returns:
        The events, in document order; numbers with a point as Decimal.

    Raises:
        InputError: The text is not JSON, or holds no events.

    Source: GS1 EPCIS 2.0, section 10 (JSON/JSON-LD bindings).
    """
    try:
        found = _parts(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the text is not JSON: {error}; give an EPCIS 2.0 document in JSON"
        ) from error
    events = [event for part in found for event in _events_of(part)]
    strays = [at for at, event in enumerate(events) if not isinstance(event, dict)]
    if strays or not events:
        raise InputError(
            f"EPCIS event {strays[0] + 1} is no object; mend the document"
            if strays
            else "the document holds no events; wanted epcisBody.eventList"
        )
    return events


def _parts(text: str | bytes) -> list[Any]:
    """Read one document, or one per line; what is neither fails as the whole does."""
    try:
        return [json.loads(text, parse_float=Decimal)]
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line, parse_float=Decimal) for line in lines]


def _events_of(part: Any) -> list[Any]:
    if isinstance(part, list):
        return part
    if not isinstance(part, dict):
        return [part]
    body = part.get("epcisBody")
    if not isinstance(body, dict):
        return [part] if "eventTime" in part else []
    results = body.get("queryResults")
    if isinstance(results, dict):
        body = results.get("resultsBody")
    events = body.get("eventList") if isinstance(body, dict) else None
    return events if isinstance(events, list) else []


def segment_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write an EPCIS event in Segment form.

    A sale (bizStep retail_selling) becomes "Order Completed", goods with disposition returned
    become "Order Refunded", an error declaration becomes "Order Voided" of the event it
    declares wrong. Everything else keeps its own words as "EPCIS <type>" and stays nobody's:
    goods that are seen moving must not tell who carries them.

    EPCIS carries no money: amounts, the customer and the coupon come from extension fields,
    known by the part of their name after the colon (`total`, `customerID`, `saleLines`...).

    Args:
        event: An EPCIS 2.0 event.

    Returns:
        A track event; its `messageId` is the eventID, or a hash of the content.

    Source: GS1 CBV 2.0 for the steps and dispositions; the extension fields are ours.
    """
    own = {name: value for name, value in event.items() if name != "errorDeclaration"}
    said = extensions(event)
    name = str(event.get("eventID") or content_id(own))
    step, state = local_word(event.get("bizStep")), local_word(event.get("disposition"))
    properties: dict[str, Any] = {"order_id": order_number(event)}
    message_id = name
    if isinstance(event.get("errorDeclaration"), Mapping):
        words = "Order Voided"
        properties["voids"] = name
        message_id = f"{name}#error"
    elif state == RETURNED or step == SELLING:
        words = "Order Refunded" if state == RETURNED else "Order Completed"
        properties |= {
            ours: said[theirs] for theirs, ours in _ABOUT_ORDER.items() if theirs in said
        }
        properties.setdefault("store_id", place_of(event))
        properties["products"] = _products(event, said.get("saleLines"))
    else:
        words, properties = f"EPCIS {event.get('type', 'event')}", dict(own)
        said.pop("customerID", None)
    return {
        "type": "track",
        "event": words,
        "messageId": message_id,
        "userId": said.get("customerID"),
        "timestamp": moment_of(event),
        "properties": properties,
        "context": {
            "epcis": {"type": event.get("type"), "bizStep": step, "action": event.get("action")}
        },
    }


def extensions(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give the extension fields of an event.

    Returns:
        Value by the part of the field's name after the colon.

    Example:
        >>> extensions({"type": "ObjectEvent", "shop:total": "9.90"})
        {'total': '9.90'}
    """
    return {
        name.rpartition(":")[2]: value
        for name, value in event.items()
        if ":" in name and not name.startswith("@")
    }


def local_word(value: Any) -> str:
    """Give a word of the CBV without the vocabulary it comes from.

    Returns:
        The word; "" for nothing.

    Example:
        >>> local_word("urn:epcglobal:cbv:bizstep:retail_selling")
        'retail_selling'
        >>> local_word("https://ref.gs1.org/cbv/BizStep-retail_selling")
        'retail_selling'
    """
    text = str(value or "").rpartition("/")[2].rpartition(":")[2]
    return text.partition("-")[2] or text


def moment_of(event: Mapping[str, Any]) -> Any:
    """Give eventTime as ISO text; a time without a zone is told in eventTimeZoneOffset."""
    text = event.get("eventTime")
    offset = event.get("eventTimeZoneOffset")
    try:
        is_local = datetime.fromisoformat(str(text)).tzinfo is None
    except ValueError:
        return text
    return f"{text}{offset}" if is_local and offset else text


def order_number(event: Mapping[str, Any]) -> str | None:
    """Find the number of the receipt or order among the business transactions.

    Returns:
        Its last part; None when there is no transaction.

    Example:
        >>> bt = {"type": "inv", "bizTransaction": "urn:epcglobal:cbv:bt:5200001000008:4711"}
        >>> order_number({"bizTransactionList": [bt]})
        '4711'
    """
    given = event.get("bizTransactionList")
    parts = [part for part in given if isinstance(part, Mapping)] if isinstance(given, list) else []
    ranked = sorted(parts, key=lambda part: _kind_rank(local_word(part.get("type"))))
    for part in ranked:
        text = str(part.get("bizTransaction") or "")
        if text:
            return text.rpartition("/")[2] if "://" in text else text.rpartition(":")[2]
    return None


def _kind_rank(kind: str) -> int:
    return _ORDER_KINDS.index(kind) if kind in _ORDER_KINDS else len(_ORDER_KINDS)


def place_of(event: Mapping[str, Any]) -> str | None:
    """Give the GLN of the business location, or of the read point; else its whole id."""
    for name in ("bizLocation", "readPoint"):
        given = event.get(name)
        found = given.get("id") if isinstance(given, Mapping) else given
        if found:
            return _keyed(str(found), "sgln", "414")
    return None


def product_of(epc: str) -> str:
    """Give the GTIN an EPC or GS1 Digital Link names, as printed on the pack.

    Returns:
        13 digits, or 14 for an outer pack; the whole id when it names no GTIN.

    Example:
        >>> product_of("urn:epc:id:sgtin:4012345.012345.11"), product_of("sku-7")
        ('4012345123456', 'sku-7')
        >>> product_of("https://id.gs1.org/01/06901234567892/10/A1")
        '6901234567892'
    """
    return _keyed(epc, "gtin", "01")


def _keyed(text: str, scheme: str, application: str) -> str:
    if f"/{application}/" in text:
        digits = text.partition(f"/{application}/")[2].partition("/")[0].partition("?")[0]
        return digits.removeprefix("0") if len(digits) == 14 else digits
    head, _, rest = text.rpartition(":")
    if not head.startswith("urn:epc:") or not head.rpartition(":")[2].endswith(scheme):
        return text
    company, _, item = rest.partition(".")
    item = item.partition(".")[0]
    if not all(part.isascii() and part.isdigit() for part in (company, item)):
        return text
    if scheme == "sgln":
        return _checked(company + item)
    return _checked(item[0] + company + item[1:]).removeprefix("0")


def _checked(digits: str) -> str:
    weighted = sum(int(d) * (3 if at % 2 == 0 else 1) for at, d in enumerate(reversed(digits)))
    return f"{digits}{-weighted % 10}"


def _products(event: Mapping[str, Any], sale_lines: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in ("quantityList", "childQuantityList"):
        for part in _listed(event, name):
            if isinstance(part, Mapping):
                line = {"product_id": product_of(str(part.get("epcClass") or ""))}
                found.append({**line, "quantity": part.get("quantity", 1), **_amounts(part)})
    for name in ("epcList", "childEPCs"):
        found += [{"product_id": product_of(str(e)), "quantity": 1} for e in _listed(event, name)]
    if isinstance(sale_lines, list):
        for line, said in zip(found, sale_lines, strict=False):
            line.update(_amounts(said) if isinstance(said, Mapping) else {})
    return found


def _listed(event: Mapping[str, Any], name: str) -> Sequence[Any]:
    given = event.get(name)
    return given if isinstance(given, list) else []


def _amounts(given: Mapping[str, Any]) -> dict[str, Any]:
    short = {name.rpartition(":")[2]: value for name, value in given.items()}
    return {ours: short[theirs] for theirs, ours in _ABOUT_LINE.items() if theirs in short}


def content_id(event: Mapping[str, Any]) -> str:
    """Name an event without an id of its own by its content, when it was recorded left out."""
    kept = {name: value for name, value in event.items() if name != "recordTime"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()
