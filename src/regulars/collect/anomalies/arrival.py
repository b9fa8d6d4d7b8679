"""Marks that need nothing but the event itself and the request it came in."""

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pyarrow as pa
import pyarrow.compute as pc

from regulars.collect.anomalies.agents import kinds_of_agents
from regulars.errors import InputError

AUTOMATION = "automation"
DATACENTRE = "datacentre"

_AGENT = r'"userAgent"\s*:\s*"(?P<agent>(?:[^"\\]|\\.)*)"'
_WEBDRIVER = r'"webdriver"\s*:\s*true'


class Networks:
    """Address ranges nobody shops from, such as those of hosting companies.

    Args:
        ranges: Networks in CIDR form: "203.0.113.0/24", "2001:db8::/32". None are packaged,
            because they change by the week.

    Raises:
        InputError: A range is no network.
    """

    def __init__(self, ranges: Iterable[str] = ()) -> None:
        """Sort the ranges, so that an address is found by halving."""
        self._starts: dict[int, list[int]] = {4: [], 6: []}
        self._ends: dict[int, list[int]] = {4: [], 6: []}
        try:
            networks = [ip_network(text.strip(), strict=False) for text in ranges]
        except ValueError as error:
            raise InputError(f"{error}; give networks such as 203.0.113.0/24") from error
        for network in sorted(networks, key=lambda n: (n.version, int(n.network_address))):
            end = int(network.broadcast_address)
            ends = self._ends[network.version]
            self._starts[network.version].append(int(network.network_address))
            ends.append(max(end, ends[-1]) if ends else end)

    def __contains__(self, address: str) -> bool:
        """Whether an address lies in one of the ranges; no address never does."""
        try:
            parsed: IPv4Address | IPv6Address = ip_address(address)
        except ValueError:
            return False
        place = bisect_right(self._starts[parsed.version], int(parsed)) - 1
        return place >= 0 and int(parsed) <= self._ends[parsed.version][place]

    def __bool__(self) -> bool:
        """Whether there is any range."""
        return bool(self._starts[4] or self._starts[6])


def agents_in_payloads(payloads: pa.Array) -> pa.Array:
    """Read the agent a page reports about itself, `context.userAgent`, out of whole events.

    Args:
        payloads: Events as JSON in Segment form.

    Returns:
        One text per event, empty (null) where there is none. Escapes stay as written.

    Example:
        >>> agents_in_payloads(pa.array(['{"context":{"userAgent":"curl/8"}}', "{}"])).to_pylist()
        ['curl/8', None]
    """
    return pc.struct_field(pc.extract_regex(payloads, _AGENT), "agent")


def marks_on_arrival(
    agents: pa.Array,
    payloads: pa.Array,
    *,
    payload_agents: pa.Array | None = None,
    addresses: pa.Array | None = None,
    networks: Networks | None = None,
) -> pa.Array:
    """Mark events no customer made, as far as one event alone can tell.

    A pure function of its arguments: an event applied again after a crash gets the same marks.
    How often or how regularly somebody acts needs more than one event; that is scored later.

    Args:
        agents: User-Agent of the request each event came in; may be empty.
        payloads: Each event as JSON in Segment form.
        payload_agents: `context.userAgent` of each event where the caller has read it already;
            read from the payloads when left out.
        addresses: IP address of each request; may be empty.
        networks: Ranges nobody shops from; their events are marked `datacentre`.

    Returns:
        One text per event for the column `marks` of `events`: reason codes separated by spaces
        (robot, headless, script, automation, datacentre), each once; empty (null) when nothing
        is wrong.

    Example:
        >>> events = pa.array(['{"context":{"userAgent":"Googlebot/2.1"}}', '{"context":{}}'])
        >>> marks_on_arrival(pa.array(["okhttp/4", None]), events).to_pylist()
        ['robot', None]
    """
    reported = agents_in_payloads(payloads) if payload_agents is None else payload_agents
    parts = [kinds_of_agents(reported, of_pages=True), kinds_of_agents(agents, of_pages=False)]
    driven = pc.match_substring_regex(payloads, _WEBDRIVER)
    parts.append(pc.if_else(driven, AUTOMATION, ""))
    if networks and addresses is not None:
        parts.append(_hosted(addresses, networks))
    joined = pc.binary_join_element_wise(*(pc.fill_null(part, "") for part in parts), " ")
    encoded = joined.dictionary_encode()
    tidy = [" ".join(sorted(set(text.split()))) or None for text in encoded.dictionary.to_pylist()]
    return pa.array(tidy, pa.string()).take(encoded.indices)


def _hosted(addresses: pa.Array, networks: Networks) -> pa.Array:
    encoded = addresses.dictionary_encode()
    inside = [value is not None and value in networks for value in encoded.dictionary.to_pylist()]
    codes = pa.array([DATACENTRE if there else None for there in inside], pa.string())
    return codes.take(encoded.indices)
