"""The gate: the gatekeeper of the running server.

In: what clients want, step by step. Out: replies; a message answered 250 is durable in the spool.
Standard: RFC 5321 §4.2.5 (what 250 means), §6.3 (loops); DESIGN, "A decision is per recipient; one DATA has one reply".
Not here: recipients (`admission`), judging (`examine`), header fields (`stamp`), log and journal (`record`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gatepost.inspector import Action, decide_transaction, for_delivery
from gatepost.inspector.examine import Ports
from gatepost.inspector.people import People
from gatepost.message.message import Message, parse_message
from gatepost.msgauth.sender_domain import SenderDomainResult, check_sender_domain
from gatepost.names import Envelope, Recipient, domain_of
from gatepost.ports import Resolver
from gatepost.server.delivery.loops import DELIVERED_TO, was_delivered
from gatepost.server.door.door import Door
from gatepost.server.door.exposed import Exposures
from gatepost.server.pipeline import replies
from gatepost.server.pipeline.admission import Admission, final_recipients
from gatepost.server.pipeline.examine import Examined, examine
from gatepost.server.pipeline.keeping import Keeper
from gatepost.server.pipeline.record import Recorder
from gatepost.server.pipeline.stamp import stamp
from gatepost.server.settings import GateSettings
from gatepost.server.smtp.gatekeeper import Answer, NoLogin
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.server.spelling import ascii_domain
from gatepost.store.spool import NewMessage, State, Treatment
from gatepost.wire.smtp.replies import Reply

_KEPT = {Action.QUARANTINE: Treatment(state=State.QUARANTINED), Action.TAG: Treatment(junk=True)}
_PLAIN = Treatment()


class Gate(NoLogin):
    """Decides by the settings it was made with. `message_ports()` gives the ports of one message, a resolver with its
    budget of questions among them."""

    def __init__(
        self,
        settings: GateSettings,
        *,
        admission: Admission,
        keeper: Keeper,
        recorder: Recorder,
        door: Door,
        message_ports: Callable[[], Ports],
        exposures: Exposures | None = None,
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._keeper = keeper
        self._recorder = recorder
        self._door = door
        self._message_ports = message_ports
        self._exposures = exposures
        spf = settings.msgauth.spf
        own_name = replace(spf, receiver=spf.receiver or settings.hostname)  # RFC 7208 §7.4: who is it that checks?
        self._msgauth = replace(settings.msgauth, spf=own_name)
        self._people = People(settings.inspector.people, admission.recipients.accounts)
        self._tls_senders = frozenset(ascii_domain(name) for name in settings.relay.require_tls_from)

    def learn_accounts(self) -> None:
        """Accounts came or went."""
        self._people = People(self._settings.inspector.people, self._admission.recipients.accounts)

    # --- before the message

    def connected(self, visit: Visit) -> Answer:
        """Everybody is greeted whom the door lets in, while there is room for mail."""
        full = self._keeper.full()
        return full if full is not None else self._door.connected(visit)

    def announced(self, visit: Visit, possible: Sequence[str]) -> Sequence[str]:
        """Only what some next hop honours end to end (RFC 6531 §3.1, RFC 8689 §4.2)."""
        hops = self._admission.hops
        missing = {keyword for keyword in ("SMTPUTF8", "REQUIRETLS") if not hops.any_can(keyword)}
        return [keyword for keyword in possible if keyword not in missing] if missing else possible

    def ehlo(self, visit: Visit, domain: str) -> Answer:
        """Any name will do for now; what it says is judged at RCPT and with the message."""
        return self._door.ehlo(visit, domain)

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        """TLS where it is demanded, and room for the message."""
        if visit.session.tls is None:
            if envelope.requiretls:
                return replies.NEED_TLS_FOR_REQUIRETLS
            if self._tls_senders and ascii_domain(domain_of(envelope.mail_from)) in self._tls_senders:
                return replies.NEED_TLS
        no_room = self._keeper.no_room(envelope)
        return no_room if no_room is not None else self._door.mail(visit, envelope)

    def recipient(self, visit: Visit, envelope: Envelope, recipient: Recipient) -> Answer:
        """Ours, known and able, and nothing against the client; or refused here."""
        answer = self._admission.check(visit.session, envelope, recipient)
        if answer is None:
            answer = self._door.recipient(visit, envelope, recipient)
            if answer is None:
                return None
        elif not isinstance(answer, Reply):
            return self._when_known(visit, envelope, recipient, answer)
        else:
            self._recorder.recipient(visit, envelope, recipient.address, answer, time.time())
            return self._door.offences.refused_recipient(visit, answer)
        return self._from_door(visit, envelope, recipient, answer)

    async def _when_known(
        self, visit: Visit, envelope: Envelope, recipient: Recipient, answer: Awaitable[Reply | None]
    ) -> Reply | None:
        reply = await answer
        if reply is not None:
            self._recorder.recipient(visit, envelope, recipient.address, reply, time.time())
            return await _awaited(self._door.offences.refused_recipient(visit, reply))
        stopped = self._door.recipient(visit, envelope, recipient)
        return await self._from_door(visit, envelope, recipient, stopped) if stopped is not None else None

    async def _from_door(
        self, visit: Visit, envelope: Envelope, recipient: Recipient, answer: Reply | Awaitable[Reply | None]
    ) -> Reply | None:
        reply = await _awaited(answer)
        if reply is not None:
            self._recorder.recipient(visit, envelope, recipient.address, reply, time.time())
        return reply

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        """Nobody logs in here, but some try, and in the clear."""
        if self._exposures is not None:
            self._exposures.exposed(visit, mechanism, name)

    def misspoken(self, visit: Visit, reply: Reply) -> Answer:
        """Who goes on making mistakes is answered more slowly."""
        return self._door.offences.slow(visit, reply)

    # --- the message

    async def message(self, visit: Visit, envelope: Envelope, raw: bytes) -> Reply:
        """Judges the message and, unless it is refused, keeps it: the 250 comes after the disk."""
        now = time.time()
        message = parse_message(raw)
        if len(message.header.all("received")) > self._settings.relay.max_received or self._came_back(
            envelope, message
        ):
            return self._unjudged(visit, envelope, message, replies.LOOP, "loop", now)
        try:
            async with asyncio.timeout(self._settings.relay.deadline):
                ports = self._message_ports()
                refused = await self._sender_refused(domain_of(envelope.mail_from), ports.resolver)
                if refused is not None:
                    return self._unjudged(visit, envelope, message, refused, refused.text, now)
                examined = await self._examine(visit, envelope, message, ports, now)
        except TimeoutError:
            return self._unjudged(visit, envelope, message, replies.SLOW, "the sender checks took too long", now)
        spool_id = self._keeper.next_id(now)
        decisions = [examined.decision_for(recipient) for recipient in envelope.recipients]
        action = decide_transaction(decisions)
        if action is Action.REJECT:
            reply = replies.refusal(examined.decision.decided_by, spool_id)
            self._door.offences.refused_message(visit)
        elif action is Action.DEFER:
            reply = replies.deferral(examined.decision.decided_by, spool_id)
        else:
            delayed = await self._door.delayed(visit, envelope, message, examined.auth)
            if delayed is not None:
                return self._unjudged(visit, envelope, message, delayed, "greylisted", now)
            action = for_delivery(examined.decision)
            reply = await self._keep(visit, envelope, message, examined, spool_id, now)
            if not reply.positive:
                return self._unjudged(visit, envelope, message, reply, "the spool has no room", now)
            self._door.offences.accepted_message(visit)
        self._recorder.message(
            visit=visit,
            envelope=envelope,
            message=message,
            examined=examined,
            action=action,
            reply=reply,
            spool_id=spool_id,
            now=now,
        )
        return reply

    def _came_back(self, envelope: Envelope, message: Message) -> bool:
        """Whether the message was in the mailboxes of all its recipients before, or forwarded to them: delivery would
        only bounce it."""
        if not message.header.all(DELIVERED_TO):
            return False
        book = self._admission.recipients
        for recipient in final_recipients(envelope, book):
            settings = book.serves(domain_of(recipient.address))
            if settings is None:
                if not recipient.via or not was_delivered(message.header, recipient.via):
                    return False
            elif settings.route != "maildir" or not was_delivered(message.header, recipient.address):
                return False
        return True

    async def _sender_refused(self, domain: str, resolver: Resolver) -> Reply | None:
        """RFC 7505 §4.2 and RFC 5321 §3.6.2: a sender's domain that takes no mail. No answer is nobody's fault."""
        relay = self._settings.relay
        if not (relay.refuse_null_mx_senders or relay.refuse_unknown_senders):
            return None
        found = (await check_sender_domain(ascii_domain(domain), resolver)).result
        if found is SenderDomainResult.NULL_MX and relay.refuse_null_mx_senders:
            return replies.NULL_MX
        if found is SenderDomainResult.MISSING and relay.refuse_unknown_senders:
            return replies.NO_SENDER_DOMAIN
        return None

    async def _examine(self, visit: Visit, envelope: Envelope, message: Message, ports: Ports, now: float) -> Examined:
        return await examine(
            message,
            visit.session_for(envelope),
            envelope,
            ports=ports,
            now=now,
            msgauth=self._msgauth,
            inspector=self._settings.inspector,
            own_domains=self._admission.recipients.domains,
            people=self._people,
            door=self._door.signs(visit),
        )

    async def _keep(
        self, visit: Visit, envelope: Envelope, message: Message, examined: Examined, spool_id: str, now: float
    ) -> Reply:
        """250 once the message is durable, 452 or 451 when it can't be."""
        session = visit.session_for(envelope)
        recipients, treatments = self._treated(envelope, examined)
        body = stamp(
            message,
            hostname=self._settings.hostname,
            session=session,
            envelope=envelope,
            auth=examined.auth,
            decision=examined.decision,
            spool_id=spool_id,
            now=now,
        )
        new = NewMessage(
            id=spool_id,
            envelope=with_recipients(envelope, recipients),
            session=session,
            body=body,
            treatments=treatments,
            proven=examined.proven,
            reason=_reason(examined),
        )
        return await self._keeper.keep(new)

    def _treated(self, envelope: Envelope, examined: Examined) -> tuple[tuple[Recipient, ...], tuple[Treatment, ...]]:
        """The final recipients, each with what becomes of its copy."""
        book = self._admission.recipients
        if not examined.by_recipient:
            recipients = final_recipients(envelope, book)
            treatment = _KEPT.get(for_delivery(examined.decision), _PLAIN)
            return recipients, tuple(self._may_leave(recipient, treatment) for recipient in recipients)
        kept: dict[str, tuple[Recipient, Treatment]] = {}
        for recipient in envelope.recipients:
            treatment = _KEPT.get(for_delivery(examined.decision_for(recipient)), _PLAIN)
            for final in final_recipients(with_recipients(envelope, (recipient,)), book):
                kept.setdefault(final.address, (final, self._may_leave(final, treatment)))
        return tuple(r for r, _ in kept.values()), tuple(t for _, t in kept.values())

    def _may_leave(self, recipient: Recipient, treatment: Treatment) -> Treatment:
        """There is no Junk folder elsewhere: who sends on spam is taken for its source."""
        if not treatment.junk or self._admission.recipients.serves(domain_of(recipient.address)) is not None:
            return treatment
        return _KEPT[Action.QUARANTINE] if self._settings.forward.junk == "quarantine" else _PLAIN

    def _unjudged(
        self, visit: Visit, envelope: Envelope, message: Message, reply: Reply, reason: str, now: float
    ) -> Reply:
        self._recorder.unjudged(visit, envelope, reply, reason, len(message.raw), now)
        return reply

    def closed(self, visit: Visit, stats: Stats) -> None:
        """The connection ended."""
        self._door.closed(visit, stats)
        self._recorder.connection(visit, stats)


async def _awaited(answer: Answer) -> Reply | None:
    return answer if answer is None or isinstance(answer, Reply) else await answer


def with_recipients(envelope: Envelope, recipients: tuple[Recipient, ...]) -> Envelope:
    """The same envelope for other recipients."""
    return Envelope(
        mail_from=envelope.mail_from,
        recipients=recipients,
        body=envelope.body,
        smtputf8=envelope.smtputf8,
        size=envelope.size,
        ret=envelope.ret,
        envid=envelope.envid,
        requiretls=envelope.requiretls,
    )


def _reason(examined: Examined) -> str:
    """Why the message is where it is, for `gatepost quarantine`: the gravest of the recipients' decisions."""
    decision = max((examined.decision, *examined.by_recipient.values()), key=lambda one: one.action.rank)
    if not decision.decided_by:
        return ""
    return json.dumps({"action": decision.action.value, "score": decision.score, "decided_by": decision.decided_by})
