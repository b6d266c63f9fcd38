"""What is told of a message that an account handed in: a log line, a journal entry, the counters, the acquaintance.

In: what was decided and answered. Out: nothing to wait for. Standard: DESIGN, "One canonical log line a message".
Not here: the form of a line (`server.logs`); what a password was, which never gets here.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.inspector.decision import Action
from gatepost.message.message import Message
from gatepost.message.words import decode_words
from gatepost.names import Envelope
from gatepost.server.metrics import Metric
from gatepost.server.pipeline.memory import Memory
from gatepost.server.pipeline.record import MAX_SUBJECT, Recorder, named
from gatepost.server.smtp.visit import Visit
from gatepost.server.submission.content import Inspected
from gatepost.store.journal import Entry, JournalWriter
from gatepost.wire.smtp.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """One message. `kept` is how it stands in the spool: "queued", "quarantined" or "held"."""

    visit: Visit
    envelope: Envelope
    message: Message
    message_id: str
    inspected: Inspected | None
    reply: Reply
    spool_id: str
    kept: str = "queued"
    signed_by: tuple[str, ...] = ()
    unsigned: str = ""
    changes: tuple[str, ...] = ()
    now: float


class SubmissionRecorder:
    """One worker's."""

    def __init__(self, recorder: Recorder, journal: JournalWriter, memory: Memory | None) -> None:
        self.recorder = recorder
        self._journal = journal
        self._memory = memory

    def sender(self, visit: Visit, envelope: Envelope, reply: Reply) -> None:
        """A sender was refused at MAIL."""
        self.recorder.metrics.add(Metric.SUBMISSIONS_REFUSED)
        self.recorder.log.info(
            "sender-refused",
            account=visit.session.account or None,
            client=visit.session.client_ip,
            sender=f"<{envelope.mail_from}>",
            reply=reply,
            session=visit.id,
        )

    def accepted(self, sent: Submitted) -> None:
        """The message is in the spool."""
        metrics = self.recorder.metrics
        metrics.add(Metric.SUBMITTED if sent.kept == "queued" else Metric.SUBMISSIONS_HELD)
        metrics.add(Metric.OCTETS_ACCEPTED, len(sent.message.raw))
        account = sent.visit.session.account
        if self._memory is not None and account and sent.kept == "queued":
            self._memory.sent(account, sent.envelope, sent.message_id, sent.now)
        self._tell("submitted", sent)

    def refused(self, sent: Submitted, reason: str) -> None:
        """The message was refused, for now or for good."""
        self.recorder.metrics.add(Metric.SUBMISSIONS_REFUSED)
        self._tell("submission-refused", sent, reason)

    def _tell(self, event: str, sent: Submitted, reason: str | None = None) -> None:
        session, decision = sent.visit.session, sent.inspected.decision if sent.inspected is not None else None
        accepted = sent.reply.positive
        self.recorder.log.info(
            event,
            id=sent.spool_id or None,
            account=session.account or None,
            client=session.client_ip,
            via=session.relay_ip,
            ehlo=session.ehlo_domain,
            tls=session.tls.version if session.tls else "none",
            sender=f"<{sent.envelope.mail_from}>",
            to=named(sent.envelope),
            size=len(sent.message.raw),
            score=f"{decision.score:g}" if decision is not None else None,
            by=",".join(decision.decided_by) or None if decision is not None else None,
            kept=sent.kept if accepted and sent.kept != "queued" else None,
            signed=(",".join(sent.signed_by) or sent.unsigned or "no") if accepted else None,
            changed=",".join(sent.changes) or None,
            message_id=sent.message_id[:MAX_SUBJECT] or None,
            reply=f"{sent.reply.code} {sent.reply.enhanced or ''}".strip(),
            reason=reason,
            session=sent.visit.id,
        )
        action = Action.ACCEPT if accepted else Action.DEFER if sent.reply.transient else Action.REJECT
        self._journal.note(
            Entry(
                id=sent.spool_id if accepted or decision is not None else "",
                at=sent.now,
                client_ip=session.client_ip,
                ehlo_domain=session.ehlo_domain,
                mail_from=sent.envelope.mail_from,
                recipients=tuple(recipient.address for recipient in sent.envelope.recipients),
                message_id=sent.message_id[:MAX_SUBJECT],
                subject=_subject(sent.message),
                size=len(sent.message.raw),
                action="quarantine" if sent.kept == "quarantined" else "hold" if sent.kept == "held" else action.value,
                score=decision.score if decision is not None else 0.0,
                decided_by=decision.decided_by if decision is not None else (),
                reply=str(sent.reply),
                findings=sent.inspected.judgement.findings if sent.inspected is not None else (),
            )
        )


def _subject(message: Message) -> str:
    text = message.header.text("subject")
    return (decode_words(text[:1000]) if "=?" in text else text)[:MAX_SUBJECT]
