"""Proves and judges one message: header section, sender checks, facts, rules, decision.

In: the octets, the connection's session, the envelope. Out: `Examined`. The only waiting is for DNS.
Standard: DESIGN, "The picture". Not here: the checks and rules themselves (`msgauth`, `inspector`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.finding import Finding
from gatepost.inspector import Decision, Judgement, gather_facts, judge, read_path
from gatepost.inspector.settings import InspectorSettings
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import AuthResults, authenticate
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.names import Envelope, Recipient, Session, domain_of
from gatepost.ports import Resolver


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
    resolver: Resolver,
    now: float,
    msgauth: MsgauthSettings,
    inspector: InspectorSettings,
    own_domains: Sequence[str],
) -> Examined:
    """Examines `message` as `session` handed it in. Never raises for what a message or DNS can hold."""
    judged, path = read_path(message, session, inspector.trusted_relays)
    auth = await authenticate(message, judged, envelope.mail_from, resolver, now, msgauth)
    facts = gather_facts(
        message,
        session=judged,
        path=path,
        mail_from=envelope.mail_from,
        auth=auth,
        settings=inspector,
        now=now,
        own_domains=own_domains,
        smtputf8=envelope.smtputf8,
    )
    judgement = judge(facts)
    named = {finding.recipient for finding in judgement.findings if finding.recipient is not None}
    return Examined(
        mail_from=envelope.mail_from,
        judged=judged,
        auth=auth,
        judgement=judgement,
        decision=judgement.decide(),
        by_recipient={address: judgement.decide(address) for address in named},
    )
