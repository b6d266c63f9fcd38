"""A message that was handed in: from the octets to the 250.

In: a visit, its envelope, the octets. Out: the reply; with a 250 the message is signed and durable in the spool.
Standard: RFC 6409 §6, §8; RFC 5321 §4.2.5, §4.4, §6.3. Not here: the steps before it (`gate`); whose address it is
(`policy`), how much (`limits`), what is inside (`content`), signing (`server.signing`).
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from gatepost.errors import StoreError
from gatepost.inspector import Action
from gatepost.message.message import Message, parse_message
from gatepost.message.trace import write_received
from gatepost.names import Envelope, Session
from gatepost.server.pipeline import replies
from gatepost.server.pipeline.admission import final_recipients
from gatepost.server.pipeline.gate import with_recipients
from gatepost.server.signing.signer import Signed
from gatepost.server.smtp.visit import Visit
from gatepost.server.submission import policy
from gatepost.server.submission.content import Inspected, reason_of
from gatepost.server.submission.parts import SubmissionParts
from gatepost.server.submission.prepare import Prepared, prepare
from gatepost.server.submission.record import Submitted
from gatepost.server.submission.suspension import words_of
from gatepost.store.accounts import Standing
from gatepost.store.sent import Over
from gatepost.store.spool import NewMessage, State, Treatment
from gatepost.wire.smtp.replies import Reply

SUSPENDED = Reply(450, "This account is suspended; ask your postmaster", enhanced="4.7.1")
BROKEN_COUNTS = Reply(451, "It cannot be seen how much was sent, try again later", enhanced="4.3.0")
BULKY = 64 << 10  # octets: a larger message is prepared and signed in a thread
_STATES = {Action.QUARANTINE: State.QUARANTINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One message under way. `key` is what is counted: the account, or "[192.0.2.1]" of a listed network."""

    visit: Visit
    envelope: Envelope
    message: Message
    spool_id: str
    now: float

    @property
    def account(self) -> str:
        """Who logged in; empty for a client of a listed network."""
        return self.visit.session.account

    @property
    def key(self) -> str:
        """What is counted."""
        return self.account or f"[{self.visit.session.client_ip}]"


class Desk:
    """One worker's."""

    def __init__(self, parts: SubmissionParts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._options = parts.settings.submission

    async def take(self, visit: Visit, envelope: Envelope, raw: bytes) -> Reply:
        """Judges, counts, signs and keeps the message: the 250 comes after the disk."""
        now = time.time()
        handed = Handed(
            visit=visit, envelope=envelope, message=parse_message(raw),
            spool_id=self._parts.keeper.next_id(now), now=now,
        )  # fmt: skip
        try:
            refused = await self._authors(handed)
            if refused is not None:
                return self._refuse(handed, refused, refused.text)
            standing = await self._standing(handed)
            if standing.suspension is not None:
                return self._refuse(handed, SUSPENDED, standing.suspension.reason)
            return await self._judge(handed, standing)
        except StoreError as error:
            self._parts.recorder.recorder.log.error("accounts-failed", doing="submission", error=error)
            return self._refuse(handed, BROKEN_COUNTS, "the store of accounts or counts failed")

    async def _standing(self, handed: Handed) -> Standing:
        return await self._parts.quotas.standing(handed.key)

    async def _authors(self, handed: Handed) -> Reply | None:
        """Whether everybody in From and Sender belongs to the account, and the message is no loop."""
        message, account, senders = handed.message, handed.account, self._parts.senders
        if len(message.header.all("received")) > self._settings.relay.max_received:
            return replies.LOOP
        if not policy.has_author(message):
            return policy.NO_AUTHOR
        for author in policy.authors_of(message):
            allowed = await senders.may_write_as(account, author) if account else senders.is_ours(author)
            if not allowed:
                return policy.NOT_YOUR_AUTHOR
        if account and not handed.envelope.mail_from and self._options.null_sender == "receipts":
            return None if policy.is_receipt(message) else policy.ONLY_RECEIPTS
        return None

    async def _judge(self, handed: Handed, standing: Standing) -> Reply:
        parts = self._parts
        inspected = await parts.inspection.inspect(handed.message, handed.envelope, handed.account, handed.now)
        over: Over | None = None
        if inspected is not None and inspected.is_bad and handed.account:
            over = await parts.quotas.note_bad(standing, handed.now)
            if over is not None:
                await parts.suspensions.suspend(handed.account, over, handed.visit.session.client_ip, handed.now)
        if inspected is not None and inspected.action in (Action.REJECT, Action.DEFER):
            reply = _refusal(inspected, handed.spool_id)
            return self._refuse(handed, reply, "what is inside", inspected)
        prepared, signed = await self._signed(handed, standing)
        if prepared.problem:
            reply = Reply(550, prepared.problem[0].upper() + prepared.problem[1:], enhanced="5.6.0")
            return self._refuse(handed, reply, prepared.problem, inspected)
        if signed.refusal:
            reply = Reply(451, signed.refusal[0].upper() + signed.refusal[1:], enhanced="4.7.5")
            return self._refuse(handed, reply, signed.reason or signed.refusal, inspected)
        return await self._count(handed, standing, inspected, prepared, signed)

    async def _signed(self, handed: Handed, standing: Standing) -> tuple[Prepared, Signed]:
        """The message mended and signed; in a thread where that takes longer than others should wait."""
        if len(handed.message.raw) > BULKY:
            return await asyncio.to_thread(self._prepare_and_sign, handed, standing)
        return self._prepare_and_sign(handed, standing)

    def _prepare_and_sign(self, handed: Handed, standing: Standing) -> tuple[Prepared, Signed]:
        prepared = prepare(
            handed.message.raw,
            hostname=self._settings.hostname,
            now=handed.now,
            unique=handed.spool_id,
            recipients=[recipient.address for recipient in handed.envelope.recipients],
            unsubscribe=self._parts.unsubscribe if standing.is_bulk else None,
            seven_bit=self._settings.signing.seven_bit,
        )
        if prepared.problem:
            return prepared, Signed(raw=prepared.raw)
        return prepared, self._parts.signer.sign(prepared.raw, prepared.author_domain, handed.now)

    async def _count(
        self, handed: Handed, standing: Standing, inspected: Inspected | None, prepared: Prepared, signed: Signed
    ) -> Reply:
        """Too much is refused or, where the account is suspended for it, kept and held."""
        parts = self._parts
        addresses = [recipient.address for recipient in handed.envelope.recipients]
        over = await parts.quotas.count(standing, addresses, handed.now)
        state = _STATES.get(inspected.action, State.QUEUED) if inspected is not None else State.QUEUED
        if over is not None:
            if self._options.limits.over == "refuse" or not handed.account:
                reply = Reply(450, f"Too much: {words_of(over)}; try again later", enhanced="4.7.1")
                return self._refuse(handed, reply, words_of(over), inspected)
            await parts.suspensions.suspend(handed.account, over, handed.visit.session.client_ip, handed.now)
            state = State.HELD
        reply = await parts.keeper.keep(self._new(handed, prepared, signed, state, inspected, over))
        submitted = Submitted(
            visit=handed.visit, envelope=handed.envelope, message=handed.message, message_id=prepared.message_id,
            inspected=inspected, reply=reply, spool_id=handed.spool_id, kept=state.value, signed_by=signed.by,
            unsigned=signed.reason, changes=prepared.changes, now=handed.now,
        )  # fmt: skip
        if reply.positive:
            parts.recorder.accepted(submitted)
        else:
            parts.recorder.refused(submitted, "the spool has no room")
        return reply

    def _new(
        self, handed: Handed, prepared: Prepared, signed: Signed, state: State, inspected: Inspected | None,
        over: Over | None,
    ) -> NewMessage:  # fmt: skip
        recipients = final_recipients(handed.envelope, self._parts.admission.recipients)
        session = handed.visit.session_for(handed.envelope)
        envelope = with_recipients(handed.envelope, recipients)
        return NewMessage(
            id=handed.spool_id,
            envelope=replace(envelope, size=None),
            session=session,
            body=self._received(handed, session) + signed.raw,
            treatments=(Treatment(state=state),) * len(recipients) if state is not State.QUEUED else (),
            proven=True,
            reason=reason_of(inspected.decision if inspected is not None else None, over),
        )

    def _received(self, handed: Handed, session: Session) -> bytes:
        """RFC 5321 §4.4; where somebody sat who wrote a message is nobody's business but ours (RFC 6409 §9)."""
        hides = self._options.hide_client_address and bool(handed.account)
        recipients = handed.envelope.recipients
        return write_received(
            ehlo_domain="" if hides else session.ehlo_domain,
            client_ip="" if hides else session.client_ip,
            reverse_name="",
            by=self._settings.hostname,
            protocol=session.protocol,
            id=handed.spool_id,
            date=handed.now,
            tls=session.tls,
            for_=recipients[0].address if len(recipients) == 1 else "",
        )

    def _refuse(self, handed: Handed, reply: Reply, reason: str, inspected: Inspected | None = None) -> Reply:
        self._parts.recorder.refused(
            Submitted(
                visit=handed.visit, envelope=handed.envelope, message=handed.message,
                message_id=handed.message.header.text("message-id"), inspected=inspected, reply=reply,
                spool_id=handed.spool_id, now=handed.now,
            ),
            reason,
        )  # fmt: skip
        return reply


def _refusal(inspected: Inspected, spool_id: str) -> Reply:
    """An author reads it in his mail program: which rule it was says more to whoever helps him than nice words."""
    if inspected.action is Action.DEFER:
        return replies.deferral(inspected.decision.decided_by, spool_id)
    by = ", ".join(inspected.decision.decided_by[:3])
    return Reply(554, f"Refused for what is inside ({by}); ask your postmaster, and name {spool_id}", enhanced="5.7.1")
