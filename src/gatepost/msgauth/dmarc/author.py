"""The author domain: whose policy is asked for.

In: the mailboxes of the From fields, how many fields there were. Out: `Authors`.
Standard: RFC 9989 §5.3.1 (extraction), §10.5 (several authors); RFC 5890 §2.3.2.1 (A-labels).
Not here: reading the field (`message.addresses`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from gatepost.msgauth.spf.name import is_askable, to_ascii


class HasDomain(Protocol):
    """A mailbox, as far as DMARC looks at it."""

    @property
    def domain(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """`domains` are the different author domains in A-labels, in order. `reason` says in plain words why it is not
    exactly one from exactly one field, else it is empty."""

    domains: tuple[str, ...] = ()
    reason: str = ""

    @property
    def domain(self) -> str:
        """The author domain when there is exactly one, else the empty string."""
        return self.domains[0] if len(self.domains) == 1 else ""


def extract_author_domain(mailboxes: Iterable[HasDomain], fields: int = 1) -> Authors:
    """The author domains of all From fields together; group members count as any mailbox.

    A message with several fields or several domains is none that DMARC was made for (RFC 9989 §5.3.1); all domains are
    returned, so that all can be evaluated and the strictest policy holds (§10.5).
    """
    found: dict[str, None] = {}
    unusable = 0
    for mailbox in mailboxes:
        domain = normalized(mailbox.domain)
        if domain:
            found[domain] = None
        else:
            unusable += 1
    domains = tuple(found)
    if fields > 1:
        reason = f"the message has {fields} From fields"
    elif not domains:
        reason = "From names no domain"
    elif len(domains) > 1:
        reason = f"From names {len(domains)} domains"
    else:
        reason = "From holds an address without a usable domain" if unusable else ""
    return Authors(domains=domains, reason=reason)


def normalized(domain: str) -> str:
    """`domain` in A-labels and lower case; the empty string for an address literal or what no DNS name can be."""
    return _normalized(domain) if len(domain) <= 255 else ""


@lru_cache(maxsize=4096)
def _normalized(domain: str) -> str:
    name = to_ascii(domain)
    return name if name and "[" not in name and is_askable(name) else ""
