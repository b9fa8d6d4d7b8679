"""Is the domain fit to send: SPF, DKIM and DMARC as they stand in DNS, and whether they agree.

Source: RFC 7208 (SPF; 4.6.4: ten look-ups at most), RFC 6376 (DKIM), RFC 7489 (DMARC), and what
Gmail and Yahoo ask of bulk senders since 2024: all three, aligned.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dns.exception
import dns.resolver
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from regulars.errors import Transient

Resolve = Callable[[str, str], Sequence[str]]
_MOST_LOOKUPS = 10
_LEAST_BITS, _WANTED_BITS = 1024, 2048
_COUNTED = ("include:", "a", "mx", "ptr", "exists:", "redirect=")
# Names below which anybody registers; enough to know whose domain a name belongs to.
_PUBLIC = {
    "com.cn", "net.cn", "org.cn", "gov.cn", "edu.cn", "com.hk", "com.tw", "co.uk", "org.uk",
    "com.au", "co.jp", "co.kr", "com.sg", "com.br", "co.in",
}  # fmt: skip


@dataclass(frozen=True)
class DomainFinding:
    """What one check found.

    Attributes:
        record: "SPF", "DKIM", "DMARC" or "MX".
        level: "ok", "warn" or "fail".
        says: What was found.
        todo: What to do; "" when nothing is to be done.
    """

    record: str
    level: str
    says: str
    todo: str = ""


@dataclass(frozen=True)
class DomainQuestion:
    """What is asked of DNS.

    Attributes:
        sender: Domain of the From address.
        bounces: Domain of return addresses; "" for the sender's.
        signing: Domain that signs; "" for the sender's.
        selector: Selector of the DKIM key; "" when letters are not signed.
        record: What the record of our key should be; "" when the key is not at hand.
    """

    sender: str
    bounces: str = ""
    signing: str = ""
    selector: str = ""
    record: str = ""


def check_domain(question: DomainQuestion, resolve: Resolve | None = None) -> list[DomainFinding]:
    """Check a domain.

    Args:
        question: What to ask.
        resolve: Gives the records of a name and type, empty when there are none; None asks DNS.

    Returns:
        One finding or more per record, SPF first.

    Raises:
        Transient: DNS did not answer.
    """
    ask = resolve or _ask_dns
    return [
        *_spf(question, ask),
        *_dkim(question, ask),
        *_dmarc(question, ask),
        *_mx(question, ask),
    ]


def _spf(question: DomainQuestion, ask: Resolve) -> Iterator[DomainFinding]:
    domain = question.bounces or question.sender
    records = [text for text in ask(domain, "TXT") if text.lower().startswith("v=spf1")]
    todo = f'put one TXT record at {domain}: "v=spf1 include:<your mail server\'s> ~all"'
    if len(records) != 1:
        how = "no SPF record" if not records else f"{len(records)} SPF records, one is allowed"
        yield DomainFinding("SPF", "fail", f"{domain} has {how}", todo)
        return
    terms = records[0].lower().split()
    lookups = _lookups(records[0], ask, {domain})
    if lookups > _MOST_LOOKUPS:
        says = f"{domain} needs {lookups} look-ups, receivers stop at {_MOST_LOOKUPS}"
        yield DomainFinding("SPF", "fail", says, "take out includes nobody sends by")
    elif "+all" in terms or "all" in terms:
        says = f"{domain} lets everybody send (+all)"
        yield DomainFinding("SPF", "fail", says, "end the record with ~all or -all")
    elif not any(t in terms for t in ("-all", "~all")) and "redirect=" not in records[0]:
        yield DomainFinding("SPF", "warn", f"{domain} says nothing of others", "end it with ~all")
    else:
        yield DomainFinding("SPF", "ok", f"{domain}: {records[0]} ({lookups} look-ups)")


def _lookups(record: str, ask: Resolve, seen: set[str]) -> int:
    """Count the look-ups a record costs, those of the records it names included."""
    count = 0
    for raw in record.lower().split()[1:]:
        term = raw.lstrip("+-~?")
        name = term.partition(":")[0].partition("/")[0]
        if not (term.startswith(("include:", "exists:", "redirect=")) or name in _COUNTED):
            continue
        count += 1
        target = term.partition(":")[2] if term.startswith("include:") else ""
        target = target or (term.partition("=")[2] if term.startswith("redirect=") else "")
        if target and target not in seen and count <= _MOST_LOOKUPS:
            seen.add(target)
            inner = [t for t in ask(target, "TXT") if t.lower().startswith("v=spf1")]
            count += sum(_lookups(text, ask, seen) for text in inner[:1])
    return count


def _dkim(question: DomainQuestion, ask: Resolve) -> Iterator[DomainFinding]:
    domain = question.signing or question.sender
    if not question.selector:
        todo = "set dkim_key_env and dkim_selector of the channel"
        yield DomainFinding("DKIM", "fail", "letters are not signed", todo)
        return
    name = f"{question.selector}._domainkey.{domain}"
    record = next((text for text in ask(name, "TXT") if "p=" in text), "")
    todo = f"put this TXT record at {name}: {question.record or 'v=DKIM1; k=rsa; p=...'}"
    tags = _tags(record)
    if not tags.get("p"):
        says = f"{name} " + ("says that its key was withdrawn" if record else "does not exist")
        yield DomainFinding("DKIM", "fail", says, todo)
        return
    if question.record and _tags(question.record)["p"] != tags["p"]:
        yield DomainFinding("DKIM", "fail", f"{name} is not the key letters are signed with", todo)
        return
    bits = _bits(tags)
    if bits and bits < _WANTED_BITS:
        level = "fail" if bits < _LEAST_BITS else "warn"
        yield DomainFinding("DKIM", level, f"{name} has {bits} bits", "make a key of 2048 bits")
    else:
        yield DomainFinding("DKIM", "ok", f"{name}: {tags.get('k', 'rsa')} {bits or ''}".rstrip())


def _dmarc(question: DomainQuestion, ask: Resolve) -> Iterator[DomainFinding]:
    own = organisation(question.sender)
    for name in dict.fromkeys((f"_dmarc.{question.sender}", f"_dmarc.{own}")):
        record = next((t for t in ask(name, "TXT") if t.upper().startswith("V=DMARC1")), "")
        if record:
            break
    todo = f'put one TXT record at _dmarc.{own}: "v=DMARC1; p=none; rua=mailto:dmarc@{own}"'
    tags = _tags(record)
    if tags.get("p") not in {"none", "quarantine", "reject"}:
        yield DomainFinding("DMARC", "fail", f"{own} has no DMARC policy", todo)
        return
    signs = organisation(question.signing or question.sender) == own and bool(question.selector)
    returns = organisation(question.bounces or question.sender) == own
    strict = tags.get("adkim") == "s" and (question.signing or question.sender) != question.sender
    if (not signs or strict) and not returns:
        says = f"neither the signature nor the return address belongs to {own}"
        yield DomainFinding("DMARC", "fail", says, f"sign with a key of {own}")
    elif "rua" not in tags:
        says = f"p={tags['p']}, and nobody is told of failures"
        yield DomainFinding("DMARC", "warn", says, f"add rua=mailto:dmarc@{own}")
    elif not signs or strict:
        says = f"p={tags['p']}, held by SPF alone: forwarded letters will fail"
        yield DomainFinding("DMARC", "warn", says, f"sign with a key of {own}")
    else:
        yield DomainFinding("DMARC", "ok", f"p={tags['p']}, aligned")


def _mx(question: DomainQuestion, ask: Resolve) -> Iterator[DomainFinding]:
    domain = question.bounces or question.sender
    if not ask(domain, "MX"):
        says = f"{domain} takes no mail: bounces are lost"
        yield DomainFinding("MX", "fail", says, f"put an MX record at {domain}")
    else:
        yield DomainFinding("MX", "ok", f"{domain} takes bounces")


def organisation(domain: str) -> str:
    """Give the domain somebody registered.

    Returns:
        The last two labels; three below names where anybody registers, such as com.cn.

    Example:
        >>> organisation("news.shop.example"), organisation("news.shop.com.cn")
        ('shop.example', 'shop.com.cn')
    """
    labels = domain.lower().rstrip(".").split(".")
    count = 3 if ".".join(labels[-2:]) in _PUBLIC else 2
    return ".".join(labels[-count:])


def _tags(record: str) -> dict[str, str]:
    parts = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip().replace(" ", "") for name, _, value in parts}


def _bits(tags: dict[str, str]) -> int:
    """Give the size of an RSA key; 0 for other keys, and those that cannot be read."""
    if tags.get("k", "rsa") != "rsa":
        return 0
    try:
        key = serialization.load_der_public_key(base64.b64decode(tags["p"]))
    except (ValueError, binascii.Error):
        return 1
    return key.key_size if isinstance(key, RSAPublicKey) else 1


def _ask_dns(name: str, kind: str) -> Sequence[str]:
    try:
        found = dns.resolver.resolve(name, kind, lifetime=5)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise Transient(
            f"DNS did not answer for {name} ({type(error).__name__}); check the network, then try "
            "again"
        ) from error
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in found]
    return [record.to_text() for record in found]
