"""What is inside mail that accounts hand in: the same inspection, without what is about where a message came from.

In: a message, its account. Out: a `Judgement` and a `Decision`; nothing asks DNS about the sender, who is proven.
Standard: DESIGN, "Findings and decisions". Not here: the rules (`inspector`); what follows for the account (`limits`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from gatepost.errors import ConfigError
from gatepost.inspector import Action, Decision, Judgement, read_path
from gatepost.inspector.examine import Arrival, Ports, examine_message
from gatepost.inspector.rules import RULES
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings, OnMalware, OnTemperror
from gatepost.message.message import Message
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.names import Envelope, Session
from gatepost.ports import Answer, DnsStatus, Question
from gatepost.server.settings import GateSettings
from gatepost.store.sent import Over

# About where a message came from, or about a stranger: an account's mail is neither.
_FOREIGN_GROUPS = frozenset({"auth", "path", "door", "spoof", "acquaintance", "sealed"})
_FOREIGN_CODES = frozenset({"list.ip", "list.allow", "list.local-allow", "list.local-allow-unproven"})
# What a mail program may leave to the submission server (RFC 6409 §8).
_MENDED_CODES = frozenset({"header.no-message-id", "header.no-date"})
# Refused or held by one of these, a message speaks of a stolen account; a program that somebody attached does not.
_STOLEN = ("malware.", "link.", "html.", "wording.", "classifier.", "list.", "content.gtube")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """`is_bad`: what decided against it speaks of a stolen account."""

    judgement: Judgement
    decision: Decision

    @property
    def action(self) -> Action:
        """Accept, quarantine, reject or defer: there is no Junk folder on the way out."""
        action = self.decision.action
        return Action.ACCEPT if action is Action.TAG else action

    @property
    def is_bad(self) -> bool:
        """Whether it counts against the account."""
        return self.action in (Action.QUARANTINE, Action.REJECT) and any(
            code.startswith(_STOLEN) for code in self.decision.decided_by
        )


class Silence:
    """A resolver that knows no name: what DNS says of the sender does not matter, and waiting for it would cost."""

    async def lookup(self, name: str, rtype: str) -> Answer:
        """Nothing."""
        return Answer(question=Question(name, rtype), status=DnsStatus.NXDOMAIN)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """Nothing."""
        return tuple([await self.lookup(question.name, question.rtype) for question in questions])


@cache
def _foreign() -> tuple[str, ...]:
    return tuple(
        rule.code
        for rule in RULES
        if rule.group in _FOREIGN_GROUPS or rule.code in _FOREIGN_CODES or rule.code in _MENDED_CODES
    )


def outbound_inspector(settings: GateSettings) -> InspectorSettings:
    """`[inspector]` with what `[submission.inspector]` says. Raises ConfigError."""
    chosen = settings.submission.inspector
    try:
        return replace(
            settings.inspector,
            tag_at=chosen.hold_at,
            quarantine_at=chosen.hold_at,
            reject_at=max(chosen.reject_at, chosen.hold_at),
            quarantine_codes=chosen.hold_codes,
            reject_codes=chosen.reject_codes,
            disabled_rules=tuple(dict.fromkeys((*settings.inspector.disabled_rules, *_foreign()))),
            dmarc=DmarcEnforcement.REPORT_ONLY,
            dmarc_temperror=OnTemperror.WEIGH,
            malware=OnMalware.REJECT,
            not_scanned=OnTemperror.DEFER if settings.inspector.not_scanned is OnTemperror.DEFER else OnTemperror.WEIGH,
        )
    except ConfigError as error:
        raise ConfigError(
            error.field.replace("inspector.", "submission.inspector.", 1), error.value, error.remedy
        ) from None


class Inspection:
    """One for a process. `ports()` gives who opens, scans and knows lists, for one message."""

    def __init__(self, settings: GateSettings, ports: Callable[[], Ports], own_domains: Sequence[str]) -> None:
        self._enabled = settings.submission.inspector.enabled
        self._settings = outbound_inspector(settings)
        self._ports = ports
        self._own_domains = own_domains

    async def inspect(self, message: Message, envelope: Envelope, account: str, now: float) -> Inspected | None:
        """None where nobody inspects. Never raises for what a message can hold."""
        if not self._enabled:
            return None
        session = Session(account=account, received_at=now)  # no address: nothing is asked or weighed of it
        judged, path = read_path(message, session)
        arrival = Arrival(
            session=judged,
            path=path,
            mail_from=envelope.mail_from,
            checked_from=None,
            recipients=[recipient.address for recipient in envelope.recipients],
            own_domains=self._own_domains,
            smtputf8=envelope.smtputf8,
        )
        known = self._ports()
        ports = Ports(
            resolver=Silence(),
            opener=known.opener,
            scanner=known.scanner,
            fetcher=known.fetcher,
            lists=known.lists,
            memory=known.memory,
        )
        judgement = await examine_message(
            message, arrival, ports, now=now, msgauth=MsgauthSettings(), settings=self._settings
        )
        return Inspected(judgement=judgement, decision=judgement.decide())


def reason_of(decision: Decision | None, over: Over | None) -> str:
    """Why a message is kept back, as JSON for `gatepost queue` and `gatepost quarantine`; empty for one that goes."""
    if over is not None:
        return json.dumps(
            {"action": "hold", "score": 0.0, "decided_by": [f"submission.{over.limit.replace('_', '-')}"]}
        )
    if decision is None or not decision.decided_by:
        return ""
    return json.dumps({"action": decision.action.value, "score": decision.score, "decided_by": decision.decided_by})
