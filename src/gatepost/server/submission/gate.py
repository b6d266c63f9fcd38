"""The gate of submission: the gatekeeper on the ports where people hand in mail.

In: what clients want, step by step. Out: replies. Standard: RFC 6409 §3, §6; RFC 4954 §6; RFC 8314 §3.
Not here: logging in (`login`), whose address it is (`policy`), the message itself (`desk`), recipients of ours
(`pipeline.admission`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence

from gatepost.errors import StoreError
from gatepost.names import Envelope, Recipient
from gatepost.server.pipeline import replies
from gatepost.server.smtp.gatekeeper import Answer, Verdict
from gatepost.server.smtp.networks import Networks
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.server.submission import policy
from gatepost.server.submission.desk import Desk
from gatepost.server.submission.parts import SubmissionParts
from gatepost.wire.sasl import Failed, Proven, Question
from gatepost.wire.smtp.replies import Reply


class SubmissionGate:
    """Implements `smtp.gatekeeper.Gatekeeper`."""

    def __init__(self, parts: SubmissionParts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._options = parts.settings.submission
        self._desk = Desk(parts)
        self._relay = parts.settings.way_out
        self._relays = Networks(self._options.relay_networks)

    # --- before the message

    def connected(self, visit: Visit) -> Answer:
        """People come from everywhere: who is banned goes, nobody else is judged by where he comes from."""
        full = self._parts.keeper.full()
        return full if full is not None else self._parts.door.banned(visit)

    def announced(self, visit: Visit, possible: Sequence[str]) -> Sequence[str]:
        """Before TLS only what leads there; REQUIRETLS and SMTPUTF8 where a next hop honours them."""
        hops = self._parts.admission.hops
        missing = {keyword for keyword in ("SMTPUTF8", "REQUIRETLS") if not hops.any_can(keyword)}
        return [keyword for keyword in possible if keyword not in missing] if missing else possible

    def ehlo(self, visit: Visit, domain: str) -> Answer:
        """Any name: mail programs say whatever their computer is called."""
        return None

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        """TLS, a login, a sender that belongs to it, and room for the message."""
        if visit.session.tls is None:
            return policy.NEED_TLS
        no_room = self._parts.keeper.no_room(envelope)
        if no_room is not None:
            return no_room
        account, sender = visit.session.account, envelope.mail_from
        if not account:
            if visit.session.client_ip not in self._relays:
                return policy.NEED_LOGIN
            return self._told_sender(visit, envelope, self._relayed(sender))
        if not sender:
            refused = policy.NO_NULL_SENDER if self._options.null_sender == "never" else None
            return self._told_sender(visit, envelope, refused)
        return None if sender == account else self._whose(visit, envelope, account)

    def _relayed(self, sender: str) -> Reply | None:
        return None if sender and self._parts.senders.is_ours(sender) else policy.NOT_YOUR_SENDER

    async def _whose(self, visit: Visit, envelope: Envelope, account: str) -> Reply | None:
        try:
            allowed = await self._parts.senders.may_write_as(account, envelope.mail_from)
        except StoreError as error:
            self._parts.recorder.recorder.log.error("accounts-failed", doing="sender", error=error)
            return policy.ASK_LATER
        return self._told_sender(visit, envelope, None if allowed else policy.NOT_YOUR_SENDER)

    def _told_sender(self, visit: Visit, envelope: Envelope, reply: Reply | None) -> Reply | None:
        if reply is not None:
            self._parts.recorder.sender(visit, envelope, reply)
        return reply

    def recipient(self, visit: Visit, envelope: Envelope, recipient: Recipient) -> Answer:
        """One of ours who exists, or anybody elsewhere while there is a way out."""
        parts = self._parts
        if not parts.senders.is_ours(recipient.address) and "@" in recipient.address:
            if parts.routes.find(recipient.address) is None:
                return self._told_recipient(visit, envelope, recipient, policy.NO_WAY_OUT)
            return self._told_recipient(visit, envelope, recipient, self._lacking(envelope))
        answer = parts.admission.check(visit.session, envelope, recipient)
        if answer is None or isinstance(answer, Reply):
            return self._told_recipient(visit, envelope, recipient, answer)
        return self._when_known(visit, envelope, recipient, answer)

    def _lacking(self, envelope: Envelope) -> Reply | None:
        """What the message needs and the way out cannot do."""
        hops = self._parts.admission.hops
        if envelope.smtputf8 and not hops.can(self._relay, "SMTPUTF8"):
            return replies.NO_SMTPUTF8
        if envelope.requiretls and not hops.can(self._relay, "REQUIRETLS"):
            return replies.NO_REQUIRETLS
        return None

    async def _when_known(
        self, visit: Visit, envelope: Envelope, recipient: Recipient, answer: Awaitable[Reply | None]
    ) -> Reply | None:
        return self._told_recipient(visit, envelope, recipient, await answer)

    def _told_recipient(
        self, visit: Visit, envelope: Envelope, recipient: Recipient, reply: Reply | None
    ) -> Reply | None:
        if reply is not None:
            self._parts.recorder.recorder.recipient(visit, envelope, recipient.address, reply, time.time())
        return reply

    def misspoken(self, visit: Visit, reply: Reply) -> Answer:
        """Who goes on making mistakes is answered more slowly."""
        return self._parts.door.offences.slow(visit, reply)

    # --- logging in

    def mechanisms(self, visit: Visit) -> Sequence[str]:
        """As `login` says."""
        return self._parts.login.mechanisms(visit)

    def authenticate(self, visit: Visit, question: Question) -> Awaitable[Verdict]:
        """As `login` says."""
        return self._parts.login.authenticate(visit, question)

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        """As `login` says."""
        return self._parts.login.authenticated(visit, mechanism, outcome)

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        """As `login` says."""
        self._parts.login.exposed(visit, mechanism, name)

    # --- the message

    def message(self, visit: Visit, envelope: Envelope, raw: bytes) -> Awaitable[Reply]:
        """As `desk` says."""
        return self._desk.take(visit, envelope, raw)

    def closed(self, visit: Visit, stats: Stats) -> None:
        """The connection ended."""
        self._parts.door.closed(visit, stats)
        self._parts.recorder.recorder.connection(visit, stats)
