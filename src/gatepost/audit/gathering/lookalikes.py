"""Names that look like the domain's, and which of them somebody has registered.

In: a domain, how many names may be asked, a resolver. Out: `LookalikeFacts`.
Standard: none; the ways are those that phishing uses, the likeliest of each first.
Not here: whether a name in a message imitates another (`inspector.links.lookalike`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest

import idna
from publicsuffixlist import PublicSuffixList

from gatepost.audit.facts import Lookalike, LookalikeFacts
from gatepost.ports import DnsStatus, Question, Resolver

MAX_NAMES = 2000
_PAIRS = "m rn,rn m,l 1,l i,i l,i 1,o 0,0 o,w vv,d cl,cl d,g q,s 5,e 3,u v,v u"
_READ_ALIKE = tuple(pair.split() for pair in _PAIRS.split(","))
_CYRILLIC = str.maketrans("aceopxyijs", "асеорхуіјѕ")
_ENDINGS = ("com", "net", "org", "co", "info", "biz", "online", "shop", "site", "top", "app", "cloud", "email", "io")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_TAILS = ("-mail", "-login", "-online", "-secure", "-support", "mail", "login")


async def gather_lookalikes(domain: str, limit: int, resolver: Resolver, wait: float) -> LookalikeFacts:
    """Looks up at most `limit` names. One question a name: what does not exist has no mail exchanger either."""
    names = list(lookalikes(domain, min(limit, MAX_NAMES)).items())
    answers = await resolver.lookup_all([Question(name, "MX") for name, _ in names], wait)
    found = tuple(
        Lookalike(name=name, way=way, takes_mail=answer.status is DnsStatus.OK)
        for (name, way), answer in zip(names, answers, strict=True)
        if answer.status in (DnsStatus.OK, DnsStatus.NODATA)
    )
    silent = sum(answer.status is DnsStatus.TEMPFAIL for answer in answers)
    return LookalikeFacts(found=found, asked=len(names), unanswered=silent)


def lookalikes(domain: str, limit: int) -> dict[str, str]:
    """Names in A-labels with the way they were made, taken from all ways in turn."""
    own = _suffixes().privatesuffix(domain) or ".".join(domain.split(".")[-2:])
    label, _, suffix = own.partition(".")
    if not label or not suffix or label.startswith("xn--") or len(label) > 40:
        return {}
    ways = (
        ("letters that look alike", _alike(label)),
        ("another ending", iter(())),
        ("two letters swapped", _swapped(label)),
        ("a letter missing", _missing(label)),
        ("letters of another script", _foreign(label)),
        ("a letter doubled", _doubled(label)),
        ("a word added", (label + tail for tail in _TAILS)),
        ("a neighbouring key", _neighbours(label)),
    )
    endings = (f"{label}.{ending}" for ending in _ENDINGS if ending != suffix)
    lanes = [
        ((name, way) for name in (endings if way == "another ending" else (f"{one}.{suffix}" for one in made)))
        for way, made in ways
    ]
    found: dict[str, str] = {}
    for row in zip_longest(*lanes):
        for name, way in filter(None, row):
            if len(found) >= limit:
                return found
            if name != own:
                found.setdefault(name, way)
    return found


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _alike(label: str) -> Iterator[str]:
    for seen, written in _READ_ALIKE:
        at = label.find(seen)
        while at >= 0:
            yield label[:at] + written + label[at + len(seen) :]
            at = label.find(seen, at + 1)


def _foreign(label: str) -> Iterator[str]:
    """Cyrillic letters that look the same: all that there are, then one at a time."""
    whole = label.translate(_CYRILLIC)
    singles = (label[:at] + label[at].translate(_CYRILLIC) + label[at + 1 :] for at in range(len(label)))
    for name in (whole, *singles):
        if not name.isascii():
            try:
                yield idna.encode(name).decode("ascii")
            except (idna.IDNAError, UnicodeError):
                continue


def _swapped(label: str) -> Iterator[str]:
    for at in range(len(label) - 1):
        if label[at] != label[at + 1]:
            yield label[:at] + label[at + 1] + label[at] + label[at + 2 :]


def _missing(label: str) -> Iterator[str]:
    for at in range(len(label)):
        if len(label) > 3:
            yield label[:at] + label[at + 1 :]


def _doubled(label: str) -> Iterator[str]:
    for at in range(len(label)):
        yield label[: at + 1] + label[at:]


def _neighbours(label: str) -> Iterator[str]:
    for at, letter in enumerate(label):
        for row in _KEYS:
            key = row.find(letter)
            for near in (row[max(key - 1, 0) : key] + row[key + 1 : key + 2]) if key >= 0 else "":
                yield label[:at] + near + label[at + 1 :]
