"""The domain that somebody registered, by the public suffix list.

In: a host name in its DNS form. Out: the registrable domain, or the name itself where the list knows none.
Standard: the Public Suffix List as the package `publicsuffixlist` ships it; private entries (github.io) count, since
what lies below them belongs to different people.
Not here: DMARC's organizational domain, which DNS tells (RFC 9989 §4.10, `msgauth.dmarc`).
"""

from __future__ import annotations

from functools import lru_cache

from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=1)
def _list() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


@lru_cache(maxsize=8192)
def registrable_domain(host: str) -> str:
    """`example.co.uk` of `www.example.co.uk`; `host` itself where it is a suffix or an address; the last two labels
    where the list has no rule for the last one."""
    found = _list().privatesuffix(host)
    if found is not None or public_suffix(host) or host.replace(".", "").isdigit() or ":" in host:
        return found or host
    return ".".join(host.rsplit(".", 2)[-2:])


@lru_cache(maxsize=8192)
def public_suffix(host: str) -> str:
    """`co.uk` of `www.example.co.uk`; empty where the list has no rule for the last label."""
    return _list().publicsuffix(host) or ""


def registered_label(host: str) -> str:
    """The label that was bought: `example` of `www.example.co.uk`."""
    return registrable_domain(host).partition(".")[0]


def looks_registered(host: str) -> bool:
    """Whether `host` ends in a suffix that exists and has a name below it: `node.js` has not. The names that RFC 2606
    §2 keeps for examples count, so that what is tried with them shows what real names would."""
    suffix = public_suffix(host) or _EXAMPLES.get(host.rpartition(".")[2], "")
    return bool(suffix) and suffix != host


_EXAMPLES = {"example": "example", "test": "test"}
