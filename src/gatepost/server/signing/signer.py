"""Signs what accounts hand in, with every key of the author's domain.

In: a message as `server.submission.prepare` made it, the author's domain, the time. Out: `Signed`.
Standard: RFC 6376 §5, RFC 8463 §3 (both algorithms, for receivers that know only one). Both signatures share one
reading of the message and one body hash; a small message takes some 0.6 ms, each MB of body 4 ms more: call it from a
thread for large messages.
Not here: the octets of a signature (`msgauth.dkim.sign`), which key is used when (`rotation`).

    signed = signer.sign(prepared.raw, prepared.author_domain, now)
    if signed.refusal: answer 451 4.7.5 with it
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.errors import ConfigError, InputError
from gatepost.msgauth.dkim.content import as_content
from gatepost.msgauth.dkim.sign import write_signature
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyring import KeyRing, load_ring, without_keys
from gatepost.server.signing.settings import SigningSettings
from gatepost.server.submission.unsubscribe import Unsubscribe
from gatepost.wire.smtp.grammar import is_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """`raw` with the signatures on top, unchanged where there are none. `by` names the keys for the log
    ("gp-rsa@example.org"). `refusal` says why the message must not leave, for the reply; empty: it may. `reason` says
    in either case why there is no signature, for the log."""

    raw: bytes
    by: tuple[str, ...] = ()
    refusal: str = ""
    reason: str = ""


class Signer:
    """One for a process. `ring` is replaced as a whole when keys change (`fresh`)."""

    def __init__(self, settings: SigningSettings, ring: KeyRing) -> None:
        self.settings = settings
        self.ring = ring

    def sign(self, raw: bytes, author_domain: str, now: float) -> Signed:
        """The message with a signature by each key of `author_domain`. Never raises for what is in the message."""
        keys = self.ring.find(author_domain)
        if not keys:
            return self._unsigned(raw, "no-key", f"mail from {author_domain} cannot be signed yet; try again later")
        content = as_content(raw)
        try:
            fields = [
                write_signature(
                    content,
                    domain=one.domain,
                    selector=one.selector,
                    key=one.key,
                    now=now,
                    fields=self.settings.fields,
                    oversign=self.settings.oversign,
                    expire=self.settings.expire or None,
                )
                for one in keys
            ]
        except InputError:
            return self._unsigned(raw, "no-from", "a message without a From field cannot be signed")
        return Signed(raw=b"".join((*fields, content.message.raw)), by=tuple(one.name for one in keys))

    def _unsigned(self, raw: bytes, reason: str, words: str) -> Signed:
        refusal = words if self.settings.unsigned == "refuse" else ""
        return Signed(raw=raw, refusal=refusal, reason=reason)


def describe_signing(settings: GateSettings) -> str:
    """For `serve --check`: which domains sign with what. Raises ConfigError for a domain whose mail would be refused,
    and for keys that cannot be used."""
    check_signing(settings)
    ring = load_ring(settings)
    lacking = without_keys(settings, ring)
    if not (settings.submission.listen_tls or settings.submission.listen_starttls):
        return f"nobody hands in mail here; {len(settings.domains) - len(lacking)} domains have keys"
    if not lacking:
        held = {one.name for domain in settings.domains for one in ring.find(domain)}
        return f"every domain signs, with {', '.join(sorted(held)[:10])}"
    remedy = f"has no key that signs; `gatepost records rotate {lacking[0]}` makes one; see `gatepost records status`"
    if settings.signing.unsigned == "refuse":
        raise ConfigError("signing", lacking[0], remedy)
    return f"NOT SIGNED: mail of {', '.join(lacking[:10])}; {lacking[0]} {remedy}"


def check_signing(settings: GateSettings) -> None:
    """What can be said of the options alone, those of bulk mail among them. Raises ConfigError."""
    Unsubscribe(settings.bulk)
    signing = settings.signing
    if "from" not in (name.lower() for name in signing.fields):
        raise ConfigError("signing.fields", ", ".join(signing.fields), "must hold from (RFC 6376 §5.4)")
    for option, names in (("signing.fields", signing.fields), ("signing.oversign", signing.oversign)):
        for name in names:
            if not is_domain(name) or "." in name:  # letters, digits and hyphens: every field that there is
                raise ConfigError(option, name, "is no name of a header field; write it as list-unsubscribe")
    for name in signing.oversign:
        if name.lower() not in (one.lower() for one in signing.fields):
            raise ConfigError("signing.oversign", name, "is not signed at all; name it in signing.fields too")
    if 0 < signing.expire < settings.delivery.expire:
        remedy = f"is less than delivery.expire ({settings.delivery.expire:g}), so signatures end while mail waits"
        raise ConfigError("signing.expire", signing.expire, f"{remedy}; give more, or 0")
