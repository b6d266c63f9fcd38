"""Proves and judges one message: header section, sender checks, facts, rules, decision.

In: the octets, the connection's session, the envelope. Out: `Examined`. The only waiting is for DNS.
Standard: DESIGN, "The picture". Not here: the checks and rules themselves (`msgauth`, `inspector`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.finding import Finding
from gatepost.inspector import Decision, Judgement, read_path
from gatepost.inspector.examine import Arrival, Ports, examine_message
from gatepost.inspector.people import People
from gatepost.inspector.settings import InspectorSettings
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import AuthResults
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.names import DoorSign, Envelope, Recipient, Session, domain_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is known of one message. `judged` is the session of the hop that was judged. `decision` holds for everybody
    whom `by_recipient` does not name."""

    mail_from: str
    judged: Session
    auth: AuthResults
    judgement: Judgement
    decision: Decision
    by_recipient: dict[str, Decision]

    def decision_for(self, recipient: Recipient) -> Decision:
        """The decision for one recipient."""
        return self.by_recipient.get(recipient.address, self.decision)

    @property
    def proven(self) -> bool:
        """Whether SPF or DMARC proved the envelope sender, so that a report of failure may go there (no backscatter).

        DMARC proves the author domain; the envelope's must be that one or below it.
        """
        spf = self.auth.spf_mail_from
        if spf is not None and spf.result.value == "pass":
            return True
        dmarc, domain = self.auth.dmarc, domain_of(self.mail_from)
        home = dmarc.organizational_domain or dmarc.author_domain
        return dmarc.aligned and bool(home) and (domain == home or domain.endswith("." + home))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was seen."""
        return self.judgement.findings


async def examine(
    message: Message,
    session: Session,
    envelope: Envelope,
    *,
    ports: Ports,
    now: float,
    msgauth: MsgauthSettings,
    inspector: InspectorSettings,
    own_domains: Sequence[str],
    people: People | None = None,
    door: tuple[DoorSign, ...] = (),
) -> Examined:
    """Examines `message` as `session` handed it in. Never raises for what a message or DNS can hold."""
    judged, path = read_path(message, session, inspector.trusted_relays)
    arrival = Arrival(
        session=judged,
        path=path,
        mail_from=envelope.mail_from,
        checked_from=envelope.mail_from,
        recipients=[recipient.address for recipient in envelope.recipients],
        own_domains=own_domains,
        people=people,
        smtputf8=envelope.smtputf8,
        door=door,
    )
    judgement = await examine_message(message, arrival, ports, now=now, msgauth=msgauth, settings=inspector)
    named = {finding.recipient for finding in judgement.findings if finding.recipient is not None}
    return Examined(
        mail_from=envelope.mail_from,
        judged=judged,
        auth=judgement.facts.auth,
        judgement=judgement,
        decision=judgement.decide(),
        by_recipient={address: judgement.decide(address) for address in named},
    )
