"""The domain owner's own words for a fail, made harmless.

In: the TXT record that exp names, and the check's letters. Out: text in printable ASCII, empty when it cannot be used.
Standard: RFC 7208 §6.2 (exp), §7.2 (letters c, r, t), §11.5 (it is untrusted text). Not here: whether it is shown.
"""

from __future__ import annotations

from gatepost.msgauth.spf.letters import Letters
from gatepost.msgauth.spf.lookup import Problem
from gatepost.msgauth.spf.macro import expand, parse_macro_string


async def explain(raw: bytes, letters: Letters, domain: str, now: float | None) -> str:
    """The explanation, or the empty string: RFC 7208 §6.2 has any error read as no exp at all."""
    text = raw.decode("latin-1")
    if not (text.isascii() and text.isprintable()):
        return ""
    spec = parse_macro_string(text, explanation=True)
    if isinstance(spec, str):
        return ""
    values = await letters.values_for(spec, domain, counted=False)
    if isinstance(values, Problem):
        return ""
    settings = letters.lookups.settings
    values = {**values, "c": str(letters.lookups.ip), "r": settings.receiver or "unknown", "t": str(int(now or 0))}
    return sanitized(expand(spec, values))[: settings.max_explanation]


def sanitized(text: str) -> str:
    """Printable ASCII only: the macros bring in what the client said."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)
