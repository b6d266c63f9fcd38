"""Signs that a message did not come straight from its author: mailing lists and forwarders break SPF and DKIM.

In: `Facts`. Out: the signs in plain words, and who vouches for the message. Signs can be forged: they make a refusal
milder, never a pass; only what is proven (SPF or DKIM of a trusted forwarder, a trusted ARC seal) does more.
Standard: RFC 9989 §7.4 (indirect flows), RFC 2919 and RFC 2369 (list fields), RFC 8617 §7.2 (using a chain).
Not here: what follows (`enforcement`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gatepost.inspector.facts import Facts, envelope_domain
from gatepost.msgauth.arc import ArcSetResult, ArcStatus
from gatepost.msgauth.authres import parse_authentication_results

# List-Unsubscribe stands in every newsletter, so it is no sign; List-Id and List-Post are (RFC 2369 §3).
_FIELDS = ("list-id", "list-post", "resent-from", "resent-sender", "x-forwarded-to", "x-forwarded-for")


def signs_of_indirect_flow(facts: Facts) -> tuple[str, ...]:
    """What hints at a list or a forwarder, in plain words; empty when nothing does."""
    header = facts.header
    signs = [f"it has a {name} field" for name in _FIELDS if header.first(name)]
    if facts.auth.arc.result is not ArcStatus.NONE or header.first("arc-seal"):
        signs.append("it carries an ARC chain")
    if facts.mail_from is None:
        signs.append("its envelope sender is not known")
    local = (facts.mail_from or "").partition("@")[0].lower()
    if local.startswith(("srs0", "srs1")) and local[4:5] in ("=", "+", "-"):
        signs.append("a forwarder rewrote the envelope (SRS)")
    return tuple(signs)


Seal = tuple[str, bool]
"""The sealer's domain, and whether it saw the author's domain pass."""


def proven_domains(facts: Facts) -> tuple[str, ...]:
    """The domains that SPF or DKIM prove to have sent it."""
    proven = dict.fromkeys(signature.domain for signature in facts.auth.dkim.passed)
    spf = facts.auth.spf_mail_from
    if spf is not None and spf.result == "pass":
        proven[envelope_domain(facts.mail_from)] = None
    return tuple(domain for domain in proven if domain)


def trusted_forwarder(proven: Iterable[str], trusted: Iterable[str]) -> str:
    """The trusted forwarder among the domains that are proven to have sent it, empty when there is none."""
    found = set(proven)
    return next((domain for domain in trusted if _is_within(found, domain)), "")


def seals_of(facts: Facts) -> tuple[Seal, ...]:
    """The seals of a chain that holds, newest first, down to the first that saw a pass; those below have no say."""
    found: list[Seal] = []
    if facts.auth.arc.result is ArcStatus.PASS:
        for one in sorted(facts.auth.arc.sets, key=lambda one: -one.instance):
            found.append((one.sealer, _saw_a_pass(one)))
            if found[-1][1]:
                break
    return tuple(found)


def trusted_sealer(seals: Iterable[Seal], trusted: Collection[str]) -> str:
    """The trusted sealer that saw the author's domain pass, in a chain that holds from there on; empty when none did.

    Every sealer from the newest down to that one must be trusted: each could have changed what it passed on.
    """
    for sealer, saw_a_pass in seals if trusted else ():
        if not any(_is_within({sealer}, domain) for domain in trusted):
            return ""
        if saw_a_pass:
            return sealer
    return ""


def _saw_a_pass(one: ArcSetResult) -> bool:
    results = parse_authentication_results(one.results).all("dmarc")
    return bool(results) and results[0].result == "pass"


def _is_within(domains: set[str], trusted: str) -> bool:
    known = trusted.lower().rstrip(".")
    return any(domain == known or domain.endswith("." + known) for domain in domains if domain)
