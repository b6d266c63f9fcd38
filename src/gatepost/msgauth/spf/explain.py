"""The domain owner's own words for a fail, made harmless.

In: the TXT record that exp names, and the check. Out: text in printable ASCII, empty when it cannot be used.
Standard: RFC 7208 §6.2 (exp), §7.2 (letters c, r, t), §11.5 (it is untrusted text). Not here: whether it is shown.
"""

from __future__ import annotations

from typing import Protocol

from gatepost.msgauth.spf.lookup import Problem
from gatepost.msgauth.spf.macro import MacroString, expand, parse_macro_string
from gatepost.msgauth.spf.settings import SpfSettings


class Checked(Protocol):
    """What is needed of the check that failed."""

    @property
    def settings(self) -> SpfSettings: ...
    @property
    def client(self) -> object: ...
    async def values_for(self, spec: MacroString, domain: str, *, counted: bool) -> dict[str, str] | Problem: ...


async def explain(raw: bytes, check: Checked, domain: str, now: float | None) -> str:
    """The explanation, or the empty string: RFC 7208 §6.2 has any error read as no exp at all."""
    text = raw.decode("latin-1")
    if not (text.isascii() and text.isprintable()):
        return ""
    spec = parse_macro_string(text, explanation=True)
    if isinstance(spec, str):
        return ""
    values = await check.values_for(spec, domain, counted=False)
    if isinstance(values, Problem):
        return ""
    receiver = check.settings.receiver
    values = {**values, "c": str(check.client), "r": receiver or "unknown", "t": str(int(now or 0))}
    return sanitized(expand(spec, values))[: check.settings.max_explanation]


def sanitized(text: str) -> str:
    """Printable ASCII only: the macros bring in what the client said."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)
