"""Our MTA-STS policy: its text, and the id that announces it.

In: `MtaStsSettings`, the server's name. Out: octets; an id that differs whenever the policy does, so that nobody has to
think of it. Standard: RFC 8461 §3.1 (id), §3.2 (policy). Not here: other people's policies (`server.delivery`).
"""

from __future__ import annotations

import hashlib

from gatepost.errors import ConfigError
from gatepost.msgauth.sts import StsPolicy, is_pattern, parse_sts_policy
from gatepost.net.tls import ascii_name
from gatepost.server.https.settings import MtaStsSettings

ID_LENGTH = 20  # of 32 (RFC 8461 §3.1)


def write_policy(settings: MtaStsSettings, hostname: str) -> bytes:
    """The policy with CRLF. Raises ConfigError for a name that is none."""
    names = [_pattern(name) for name in settings.mx or (hostname,)]
    lines = ["version: STSv1", f"mode: {settings.mode}", *(f"mx: {name}" for name in names)]
    text = "".join(f"{line}\r\n" for line in (*lines, f"max_age: {settings.max_age}")).encode("ascii")
    found = parse_sts_policy(text)
    if not isinstance(found, StsPolicy):  # our own reader has the last word
        raise ConfigError("mta_sts.mx", ", ".join(names), found)
    return text


def policy_id(policy: bytes) -> str:
    """RFC 8461 §3.1: the id of a policy, which changes with it."""
    return hashlib.sha256(policy).hexdigest()[:ID_LENGTH]


def _pattern(name: str) -> str:
    wildcard = "*." if name.startswith("*.") else ""
    pattern = wildcard + ascii_name(name.removeprefix("*."))
    if not is_pattern(pattern):
        raise ConfigError("mta_sts.mx", name, 'write a host\'s name, or "*.example.org"')
    return pattern
