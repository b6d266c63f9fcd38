"""How forwarded mail leaves: under whose name, and with what on top.

In: a message in the spool and one of its recipients. Out: `ReturnPath`; later the octets, with Delivered-To (so that
another gate, or this one, sees that it comes back) and an ARC set on top. The message below stays as it is, and so do
its signatures; only our verdict, which is nobody else's business, goes.
Standard: SRS, RFC 8617 §5.1 (sealing), §5.2 (the chain's state is the one that was found on arrival), RFC 5321 §3.9.2
(a list's errors go to who keeps it). Not here: the jobs (`delivery.job`); checking chains (`pipeline.examine`).
"""

from __future__ import annotations

from collections.abc import Callable

from gatepost.errors import InputError
from gatepost.message.fields import write_field
from gatepost.message.header import Header, parse_header
from gatepost.msgauth.arc import ArcResult, ArcStatus, seal_message
from gatepost.msgauth.authres import parse_authentication_results, without_ranges
from gatepost.msgauth.authres.select import FIELD, same_form
from gatepost.msgauth.srs import Srs
from gatepost.names import domain_of
from gatepost.server.delivery.job import AS_IT_CAME, Job, ReturnPath
from gatepost.server.delivery.loops import DELIVERED_TO
from gatepost.server.forward.settings import ForwardSettings
from gatepost.server.recipients import Recipients
from gatepost.server.signing.keyring import KeyRing
from gatepost.server.spelling import ascii_domain
from gatepost.store.spool.spooled import Spooled, SpooledRecipient

VERDICT = "gatepost-verdict"


class Forwarding:
    """Implements `delivery.job.Forwarding`. `ring` gives the keys as they are now, `srs` is None where senders are not
    rewritten."""

    def __init__(
        self,
        settings: ForwardSettings,
        *,
        hostname: str,
        recipients: Recipients,
        srs: Srs | None,
        ring: Callable[[], KeyRing],
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._recipients = recipients
        self._srs = srs
        self._ring = ring
        self._clock = clock
        self._srs_domain = ascii_domain(settings.srs_domain)

    def path(self, spooled: Spooled, recipient: SpooledRecipient) -> ReturnPath:
        """As in `delivery.job.Forwarding`."""
        via, sender = recipient.recipient.via, spooled.envelope.mail_from
        if not via:
            return AS_IT_CAME
        outside = not self._is_ours(recipient.address)
        owner = self._recipients.aliases.owner_of(via) if sender else ""
        if not outside:
            return ReturnPath(owner=owner)
        if owner or not sender or self._is_ours(sender):
            return ReturnPath(owner=owner, forwarded_by=via)
        return ReturnPath(mail_from=self._rewritten(sender, via), forwarded_by=via)

    def dress(self, job: Job, raw: bytes) -> bytes:
        """As in `delivery.job.Forwarding`."""
        by = job.path.forwarded_by
        header = parse_header(raw)
        ours = header.first(FIELD)
        found = ours.value if ours is not None and self._is_by_us(job.spooled, ours.text) else b""
        verdicts = tuple((f.offset, f.offset + len(f.raw)) for f in header.fields if f.key == VERDICT)
        plain = _delivered_to(by) + without_ranges(raw, verdicts)
        return self._sealed(plain, found, header, by) if found and self._settings.arc else plain

    def _is_ours(self, address: str) -> bool:
        domain = domain_of(address)
        return self._recipients.serves(domain) is not None or ascii_domain(domain) == (self._srs_domain or None)

    def _rewritten(self, sender: str, via: str) -> str | None:
        """None where the sender stays: no secret, or an address that fits into no other."""
        if self._srs is None:
            return None
        try:
            return self._srs.rewrite(sender, self._srs_domain or domain_of(via), self._clock())
        except InputError:
            return None

    def _is_by_us(self, spooled: Spooled, results: str) -> bool:
        """Only what came from outside carries results of ours; what people of ours hand in carries none."""
        if spooled.session.account or not spooled.session.client_ip:
            return False
        return same_form(parse_authentication_results(results).authserv_id) == same_form(self._hostname)

    def _sealed(self, raw: bytes, results: bytes, header: Header, by: str) -> bytes:
        keys = self._ring().find(domain_of(by))
        chain = _chain_state(results, header)
        if not keys or chain is None:
            return raw
        one = keys[0]
        return seal_message(
            raw,
            chain=ArcResult(result=chain),
            results=results,
            domain=one.domain,
            selector=one.selector,
            key=one.key,
            now=self._clock(),
        )


def _chain_state(results: bytes, header: Header) -> ArcStatus | None:
    """What we found of the chain when the message came: a key that is gone by now breaks nothing. None: unknown."""
    found = [one.result for one in parse_authentication_results(results).results if one.method == "arc"]
    if found:
        return {"pass": ArcStatus.PASS, "fail": ArcStatus.FAIL}.get(found[0])
    return None if header.all("arc-seal") else ArcStatus.NONE


def _delivered_to(address: str) -> bytes:
    try:
        return write_field(DELIVERED_TO, address, utf8=True)
    except InputError:  # an address that fits into no field: the hops are counted all the same
        return b""
