"""What is told of a message once it was answered: a log line, a journal entry, the counters, the acquaintance.

In: what was examined and answered. Out: nothing to wait for. The reply never depends on it.
Standard: DESIGN, "One canonical log line a message and a connection". Not here: the form of a line (`server.logs`).
"""

from __future__ import annotations

from collections.abc import Callable

from gatepost.inspector.decision import Action
from gatepost.inspector.policy import for_delivery
from gatepost.inspector.replay import Basis, write_basis
from gatepost.message.message import Message
from gatepost.message.words import decode_words
from gatepost.names import Envelope, Session
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric, Metrics
from gatepost.server.pipeline.examine import Examined
from gatepost.server.pipeline.listed import listing_hits
from gatepost.server.pipeline.memory import Memory
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.store.journal import Entry, JournalWriter
from gatepost.store.watch import WouldHave
from gatepost.wire.smtp.replies import Reply

MAX_SUBJECT = 200  # characters kept in the journal, enough to recognise a message by
MAX_NAMED = 5  # recipients in a log line; the journal has all

_COUNTED = {
    Action.ACCEPT: Metric.MESSAGES_ACCEPTED,
    Action.TAG: Metric.MESSAGES_TAGGED,
    Action.QUARANTINE: Metric.MESSAGES_QUARANTINED,
    Action.REJECT: Metric.MESSAGES_REJECTED,
    Action.DEFER: Metric.MESSAGES_DEFERRED,
}


class Recorder:
    """Writes to log, journal, metrics and, where senders are remembered, history. `watch` takes what lists said."""

    def __init__(
        self,
        log: Log,
        journal: JournalWriter,
        metrics: Metrics,
        memory: Memory | None = None,
        watch: Callable[[WouldHave], None] = lambda hit: None,
    ) -> None:
        self.log = log
        self.metrics = metrics
        self._journal = journal
        self._memory = memory
        self._watch = watch

    def message(
        self,
        *,
        visit: Visit,
        envelope: Envelope,
        message: Message,
        examined: Examined,
        action: Action,
        reply: Reply,
        spool_id: str,
        now: float,
    ) -> None:
        """A message was judged and answered."""
        self.metrics.add(_COUNTED[action])
        if reply.positive:
            self.metrics.add(Metric.OCTETS_ACCEPTED, len(message.raw))
            if self._memory is not None:
                self._memory.remember(envelope, message, examined, now)
        decision, auth, judged = examined.decision, examined.auth, examined.judged
        message_id = message.header.text("message-id")[:MAX_SUBJECT]
        self.log.info(
            "message",
            id=spool_id,
            action=action.value,
            score=f"{decision.score:g}",
            by=",".join(decision.decided_by) or None,
            client=judged.client_ip,
            via=judged.relay_ip,
            ehlo=judged.ehlo_domain,
            name=auth.iprev.name or None,
            tls=judged.tls.version if judged.tls else "none",
            sender=f"<{envelope.mail_from}>",
            to=named(envelope),
            size=len(message.raw),
            spf=auth.spf_mail_from.result if auth.spf_mail_from else "none",
            dkim=auth.dkim.result,
            dmarc=auth.dmarc.result,
            arc=auth.arc.result,
            message_id=message_id,
            reply=f"{reply.code} {reply.enhanced or ''}".strip(),
            session=visit.id,
        )
        self._journal.note(
            Entry(
                id=spool_id,
                at=now,
                client_ip=judged.client_ip,
                ehlo_domain=judged.ehlo_domain,
                mail_from=envelope.mail_from,
                recipients=tuple(recipient.address for recipient in envelope.recipients),
                message_id=message_id,
                subject=_subject(message),
                size=len(message.raw),
                action=action.value,
                score=decision.score,
                decided_by=decision.decided_by,
                reply=str(reply),
                findings=examined.findings,
                basis=write_basis(_basis(examined, action)),
            )
        )

        for hit in listing_hits(examined.judgement, message_id=spool_id, session=visit.id, now=now):
            self.metrics.add(Metric.LIST_HITS)
            self._watch(hit)

    def unjudged(self, visit: Visit, envelope: Envelope, reply: Reply, reason: str, size: int, now: float) -> None:
        """A message was refused before, or without, a judgement."""
        self.metrics.add(Metric.MESSAGES_DEFERRED if reply.transient else Metric.MESSAGES_REJECTED)
        self._refused("message-refused", visit, envelope.mail_from, reply, reason, to=named(envelope), size=size)
        self._note(visit.session, envelope, reply, now, size)

    def recipient(self, visit: Visit, envelope: Envelope, address: str, reply: Reply, now: float) -> None:
        """A recipient was refused."""
        self.metrics.add(Metric.RECIPIENTS_REFUSED)
        self._refused("recipient-refused", visit, envelope.mail_from, reply, None, to=address)
        self._journal.note(
            Entry(
                at=now,
                client_ip=visit.session.client_ip,
                ehlo_domain=visit.session.ehlo_domain,
                mail_from=envelope.mail_from,
                recipients=(address,),
                action="refuse-recipient",
                reply=str(reply),
            )
        )

    def connection(self, visit: Visit, stats: Stats) -> None:
        """A connection ended."""
        self.metrics.add(Metric.CONNECTIONS)
        if visit.session.tls is not None:
            self.metrics.add(Metric.TLS_HANDSHAKES)
        if stats.ended.startswith("limit: connections"):
            self.metrics.add(Metric.CONNECTIONS_REFUSED)
        self.log.info(
            "connection",
            session=visit.id,
            client=visit.session.client_ip,
            via=visit.peer_ip if visit.peer_ip != visit.session.client_ip else None,
            ehlo=visit.session.ehlo_domain or None,
            tls=visit.session.tls.version if visit.session.tls else "none",
            messages=stats.messages,
            transactions=stats.transactions,
            recipients=stats.recipients,
            commands=stats.commands,
            errors=stats.errors,
            octets=stats.octets_in,
            seconds=stats.duration,
            ended=stats.ended,
        )

    def _refused(
        self, event: str, visit: Visit, mail_from: str, reply: Reply, reason: str | None, **more: object
    ) -> None:
        self.log.info(
            event,
            client=visit.session.client_ip,
            ehlo=visit.session.ehlo_domain,
            sender=f"<{mail_from}>",
            **more,
            reply=reply,
            reason=reason,
            session=visit.id,
        )

    def _note(self, session: Session, envelope: Envelope, reply: Reply, now: float, size: int) -> None:
        self._journal.note(
            Entry(
                at=now,
                client_ip=session.client_ip,
                ehlo_domain=session.ehlo_domain,
                mail_from=envelope.mail_from,
                recipients=tuple(recipient.address for recipient in envelope.recipients),
                size=size,
                action="defer" if reply.transient else "reject",
                reply=str(reply),
            )
        )


def named(envelope: Envelope) -> str:
    """The recipients for a log line."""
    addresses = [recipient.address for recipient in envelope.recipients]
    more = f" and {len(addresses) - MAX_NAMED} more" if len(addresses) > MAX_NAMED else ""
    return ",".join(addresses[:MAX_NAMED]) + more


def _basis(examined: Examined, action: Action) -> Basis:
    """What `gatepost policy try` needs besides the findings."""
    apart: dict[str, Action] = {}
    if action not in (Action.REJECT, Action.DEFER):
        apart = {address: for_delivery(decision) for address, decision in examined.by_recipient.items()}
    judgement = examined.judgement
    return Basis(grounds=judgement.grounds, disabled=judgement.facts.settings.disabled_rules, actions=apart)


def _subject(message: Message) -> str:
    text = message.header.text("subject")
    return (decode_words(text[:1000]) if "=?" in text else text)[:MAX_SUBJECT]
