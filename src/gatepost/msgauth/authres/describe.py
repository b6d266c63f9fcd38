"""Our own results, in the words of Authentication-Results.

In: results of the other rooms' checks. Out: `MethodResult`s to be written.
Standard: RFC 8601 §2.7 and its registry (ptypes and properties), RFC 8617 §7.2 (arc), RFC 9989 §9.2 (dmarc).
Not here: quoting and folding (`write`).
"""

from __future__ import annotations

from gatepost.msgauth.arc.result import ArcResult, ArcStatus
from gatepost.msgauth.authres.result import MethodResult, Property
from gatepost.msgauth.dkim.result import DkimResult, SignatureResult
from gatepost.msgauth.dmarc.result import DmarcResult
from gatepost.msgauth.iprev import IprevResult
from gatepost.msgauth.spf.result import SpfIdentity, SpfResult

MAX_SIGNATURES = 10  # written; a message with more has its rest in the log


def describe_spf(result: SpfResult, mail_from: str = "") -> MethodResult:
    """`spf`, with the address or name that was checked (RFC 8601 §2.7.2)."""
    if result.identity is SpfIdentity.HELO:
        checked = _smtp("helo", result.domain)
    else:
        checked = _smtp("mailfrom", mail_from or result.domain)
    return MethodResult(method="spf", result=result.result, reason=_reason(result), properties=(checked,))


def describe_dkim(result: DkimResult) -> tuple[MethodResult, ...]:
    """`dkim`, one for each signature, told apart by the start of `b=` (RFC 8601 §2.7.1, RFC 6008)."""
    if not result.signatures:
        return (MethodResult(method="dkim", result=result.result),)
    return tuple(_describe_signature(signature) for signature in result.signatures[:MAX_SIGNATURES])


def _describe_signature(signature: SignatureResult) -> MethodResult:
    named = (
        ("d", signature.domain),
        ("i", signature.identity),
        ("s", signature.selector),
        ("a", signature.algorithm),
        ("b", signature.signature_start),
    )
    comments = (f"{signature.key_bits}-bit key",) if signature.key_bits and signature.algorithm[:3] == "rsa" else ()
    return MethodResult(
        method="dkim",
        result=signature.result,
        reason=signature.reason,
        properties=tuple([Property("header", name, value) for name, value in named if value]),
        comments=comments,
    )


def describe_dmarc(result: DmarcResult) -> MethodResult:
    """`dmarc`, with the author domain and the policy found (RFC 9989 §9.2, RFC 8601 §2.7.6)."""
    properties = [Property("header", "from", result.author_domain)]
    if result.policy is not None:
        properties.append(Property("policy", "dmarc", result.policy.value))
    return MethodResult(
        method="dmarc",
        result=result.result,
        reason=_reason(result),
        properties=tuple([one for one in properties if one.value]),
    )


def describe_arc(result: ArcResult, client_ip: str = "") -> MethodResult:
    """`arc`, with the client's address and the oldest signature that still fits (RFC 8617 §7.2)."""
    properties = []
    if client_ip:
        properties.append(_smtp("remote-ip", client_ip))
    if result.result is ArcStatus.PASS:
        properties.append(Property(ptype="header", name="oldest-pass", value=str(result.oldest_pass)))
    comment = f"i={result.instance} {result.sealer}".strip() if result.instance else ""
    return MethodResult(
        method="arc",
        result=result.result,
        reason=_reason(result),
        properties=tuple(properties),
        comments=(comment,) if comment else (),
    )


def describe_iprev(result: IprevResult) -> MethodResult:
    """`iprev`, with the address, and its confirmed name as a comment (RFC 8601 §2.7.3)."""
    return MethodResult(
        method="iprev",
        result=result.result,
        properties=(_smtp("remote-ip", result.ip),) if result.ip else (),
        comments=(result.name,) if result.name else (),
    )


def _smtp(name: str, value: str) -> Property:
    return Property("smtp", name, value)


def _reason(result: SpfResult | DmarcResult | ArcResult) -> str:
    """A pass needs no words."""
    return "" if result.result.value in {"pass", "none"} else result.reason
