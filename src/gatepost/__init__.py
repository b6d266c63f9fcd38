"""Gatepost: the whole of e-mail security for a mail domain.

In: messages, sessions, a resolver. Out: what they are worth, in the words of the standards.
Everything here is imported on first use, so that `import gatepost` costs nothing. Not here: the servers
(`gatepost.server`), the command line (`gatepost.cli`).

    import gatepost
    verdict = gatepost.inspect_message_sync(raw, resolver=gatepost.ZoneResolver(zone_text))
    verdict.decision.action, [finding.code for finding in verdict.findings]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatepost import arc, dkim, dmarc, spf
    from gatepost.api import Inspection, inspect_message, inspect_message_sync
    from gatepost.api_audit import Audit, audit_domain, audit_domain_sync
    from gatepost.errors import GatepostError, InputError
    from gatepost.names import Envelope, Session
    from gatepost.net.resolver import DnsResolver, ResolverSettings
    from gatepost.net.zone import ZoneResolver
    from gatepost.sandbox.pool import Sandbox
    from gatepost.sandbox.settings import ContentSettings

_HOMES = {
    "inspect_message": "gatepost.api",
    "inspect_message_sync": "gatepost.api",
    "Inspection": "gatepost.api",
    "audit_domain": "gatepost.api_audit",
    "audit_domain_sync": "gatepost.api_audit",
    "Audit": "gatepost.api_audit",
    "ZoneResolver": "gatepost.net.zone",
    "DnsResolver": "gatepost.net.resolver",
    "ResolverSettings": "gatepost.net.resolver",
    "Sandbox": "gatepost.sandbox.pool",
    "ContentSettings": "gatepost.sandbox.settings",
    "Session": "gatepost.names",
    "Envelope": "gatepost.names",
    "GatepostError": "gatepost.errors",
    "InputError": "gatepost.errors",
}
_MODULES = ("arc", "dkim", "dmarc", "spf")

__all__ = [
    "Audit",
    "ContentSettings",
    "DnsResolver",
    "Envelope",
    "GatepostError",
    "InputError",
    "Inspection",
    "ResolverSettings",
    "Sandbox",
    "Session",
    "ZoneResolver",
    "arc",
    "audit_domain",
    "audit_domain_sync",
    "dkim",
    "dmarc",
    "inspect_message",
    "inspect_message_sync",
    "spf",
]


def __getattr__(name: str) -> Any:
    """PEP 562: the first use of a public name imports its home."""
    if name in _MODULES:
        return importlib.import_module(f"gatepost.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'gatepost' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
