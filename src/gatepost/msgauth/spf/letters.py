"""What the macro letters mean in one check, and the names that domain-specs come to.

In: the client and the envelope; later a spec and the current domain. Out: names, values.
Standard: RFC 7208 §7.2 (letters), §7.3 (p), §4.8 (domain-specs); RFC 8616 §4 (EAI). Not here: the syntax (`macro`).
"""

from __future__ import annotations

from gatepost.msgauth.spf.lookup import Lookups, Problem
from gatepost.msgauth.spf.macro import MacroString, expand, to_name


class Letters:
    """The letters of one check. `local`, `domain` and `ehlo` are the sender's; names are in A-labels."""

    __slots__ = ("_values", "lookups")

    def __init__(self, lookups: Lookups, local: str, domain: str, ehlo: str) -> None:
        self.lookups = lookups
        self._values = {"s": f"{local}@{domain}", "l": local, "o": domain, "h": ehlo}

    async def target(self, spec: MacroString, domain: str, *, counted: bool = True) -> str | Problem:
        """The name that `spec` means here, lower case; the empty string when no name comes of it."""
        if spec.name is not None:
            return spec.name
        values = await self.values_for(spec, domain, counted=counted)
        if isinstance(values, Problem):
            return values
        if ("s" in spec.letters or "l" in spec.letters) and not values["l"].isascii():
            return ""  # RFC 8616 §4: terms with a non-ASCII local-part match nothing
        return to_name(expand(spec, values))

    async def values_for(self, spec: MacroString, domain: str, *, counted: bool) -> dict[str, str] | Problem:
        """What the letters mean (RFC 7208 §7.2), p only when `spec` needs it, for it asks DNS."""
        values = self._values
        values["d"] = domain
        if "i" not in values:
            ip = self.lookups.ip
            values["i"] = str(ip) if ip.version == 4 else ".".join(ip.packed.hex().upper())
            values["v"] = "in-addr" if ip.version == 4 else "ip6"
        if "p" in spec.letters:
            name = await self._reverse_name(domain, counted)
            if isinstance(name, Problem):
                return name
            values["p"] = name
        return values

    async def _reverse_name(self, domain: str, counted: bool) -> str | Problem:
        """RFC 7208 §7.3: of the confirmed names the domain itself, else one below it, else any; else "unknown".
        §4.6.4: the PTR question of the p macro counts once, though not in explanations."""
        problem = self.lookups.spend() if counted and not self.lookups.knows_names else None
        names = problem or await self.lookups.confirmed_names()
        if isinstance(names, Problem):
            return names if counted else "unknown"
        if domain in names:
            return domain
        below = [name for name in names if name.endswith("." + domain)]
        return (below or names or ["unknown"])[0]
