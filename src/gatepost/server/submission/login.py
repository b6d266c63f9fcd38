"""Logging in: what is offered to whom, the directory's answers, what guessing leads to, and what the log says of it.

In: questions of an exchange (`wire.sasl`), how it ended. Out: verdicts, replies. A gatekeeper hands its four methods
about AUTH on to this. Standard: RFC 4954 §4, §6; RFC 4422 App. A; RFC 5802 §6.
Not here: counting (`guessing`), threads (`pool`), mechanisms (`wire.sasl`), what an account may send (`policy`).
A name stands in the log only when there is such an account: people type their password into the wrong box.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence

from cryptography import x509

from gatepost.errors import StoreError
from gatepost.ports import Directory, Identity
from gatepost.server.door.door import Door
from gatepost.server.door.exposed import Exposures
from gatepost.server.door.networks import home_of
from gatepost.server.door.settings import TarpitSettings
from gatepost.server.door.tarpit import Tarpit
from gatepost.server.metrics import Metric, Metrics
from gatepost.server.smtp.auth import REFUSED
from gatepost.server.smtp.gatekeeper import Answer, Verdict, Verifier
from gatepost.server.smtp.visit import Visit
from gatepost.server.submission.guessing import Attempt, Guessing
from gatepost.server.submission.login_settings import LoginSettings
from gatepost.server.submission.remembered import Remembered
from gatepost.store.accounts.scram import ITERATIONS
from gatepost.store.bans import Ban
from gatepost.wire.sasl import (
    MECHANISMS,
    SCRAM,
    CheckCertificate,
    CheckPassword,
    Failed,
    NeedVerifier,
    Proven,
    Question,
    Reason,
)
from gatepost.wire.sasl.scram_keys import decoy
from gatepost.wire.smtp.replies import Reply

BANNED = Reply(421, "Too many failed logins", enhanced="4.7.0")
_SAID_NO = frozenset({Reason.WRONG, Reason.UNFIT, Reason.BLOCKED})  # reasons that slow down and lead to a ban


class Login:
    """One worker's. `exists(account)` asks whether there is such an account, for the log alone; `scope` is what
    somebody must be allowed to do to get in here ("submit", "imap", "pop3")."""

    def __init__(
        self,
        settings: LoginSettings,
        *,
        directory: Directory,
        exists: Callable[[str], Awaitable[bool]],
        guessing: Guessing,
        remembered: Remembered,
        door: Door,
        metrics: Metrics,
        verifiers: bool = True,
        scope: str = "submit",
    ) -> None:
        guess = settings.guessing
        self._directory = directory
        self._exists = exists
        self._guessing = guessing
        self._remembered = remembered
        self._parts = door.parts
        self._log = door.parts.teller.log
        self._metrics = metrics
        self._settings = guess
        self._offered = tuple(m for m in MECHANISMS if m in settings.mechanisms and (verifiers or m not in SCRAM))
        self._scope = scope
        self._slow = Tarpit(TarpitSettings(after=0, step=1.0, max_delay=guess.max_delay, max_held=guess.max_held))
        self._exposures = Exposures(self._log, exists)

    # -- the gatekeeper's part ---------------------------------------------------------------------------------------

    def mechanisms(self, visit: Visit) -> Sequence[str]:
        """EXTERNAL for who shows a certificate, -PLUS where there is something to bind to."""
        return tuple(
            mechanism
            for mechanism in self._offered
            if (mechanism != "EXTERNAL" or visit.certificate) and (mechanism != "SCRAM-SHA-256-PLUS" or visit.end_point)
        )

    async def authenticate(self, visit: Visit, question: Question) -> Verdict:
        """Nothing is asked of the directory for who guessed too much."""
        attempt = visit.login = _attempt(visit, question)
        if not self._is_own(visit) and self._parts.bans.find(attempt.ip) is not None:
            return Failed(reason=Reason.BLOCKED, words="its address is banned")
        if not isinstance(question, CheckCertificate):
            block = await self._guessing.blocked(attempt)
            if block is not None:
                mode = self._settings.mode
                self._parts.teller.caught(visit, block.check, mode, "refuse", block.words, block.subject)
                if mode == "on":
                    return Failed(reason=Reason.BLOCKED, words=block.words)
        try:
            return await self._ask(visit, question)
        except StoreError as error:
            self._log.error("login-unavailable", reason=error, session=visit.id)
            raise

    async def _ask(self, visit: Visit, question: Question) -> Verdict:
        match question:
            case CheckPassword():
                return await self._directory.check_password(question.authcid, question.password)
            case NeedVerifier():
                verifier = await self._directory.verifier(question.authcid)
                if verifier is None:
                    made = decoy(self._remembered.secret, question.authcid, ITERATIONS)  # as many as real ones have
                    return Verifier(made, decoy=True)
                return Verifier(verifier)
            case CheckCertificate():
                return await self._whose(visit)

    async def _whose(self, visit: Visit) -> Identity | None:
        """Its subject says something only where an authority of ours verified it."""
        octets, tls = visit.certificate, visit.session.tls
        if not octets:
            return None
        try:
            subject = x509.load_der_x509_certificate(octets).subject.rfc4514_string()
        except ValueError:
            return None
        verified = tls is not None and tls.verified
        return await self._directory.by_certificate(hashlib.sha256(octets).hexdigest(), subject if verified else "")

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        """Tells of it; the answer to a failure waits."""
        attempt: Attempt | None
        attempt, visit.login = visit.login, None
        if isinstance(outcome, Failed):
            return self._refused(visit, mechanism, outcome, attempt)
        identity = outcome.identity
        if not identity.may(self._scope):
            failed = Failed(reason=Reason.NOT_FOR_THIS, words=f"{identity.credential} is not good for {self._scope}")
            self._tell_failed(visit, mechanism, failed, identity.account)
            return REFUSED
        self._metrics.add(Metric.LOGINS)
        self._remembered.succeeded(identity.account, home_of(visit.session.client_ip).network)
        self._log.info(
            "login", account=identity.account, credential=identity.credential, mechanism=mechanism,
            client=visit.session.client_ip, session=visit.id,
        )  # fmt: skip
        return None

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        """The account's owner is warned."""
        self._exposures.exposed(visit, mechanism, name)

    # -- what follows ------------------------------------------------------------------------------------------------

    async def _refused(self, visit: Visit, mechanism: str, failed: Failed, attempt: Attempt | None) -> Reply | None:
        name = failed.authcid or (attempt.account if attempt is not None else "")
        self._tell_failed(visit, mechanism, failed, name if name and await self._known(name) else "")
        if failed.reason not in _SAID_NO or mechanism == "EXTERNAL":
            return None
        attempt = attempt or Attempt(account=name, ip=visit.session.client_ip)
        outcome = self._guessing.failed(attempt, checked=failed.reason is not Reason.BLOCKED)
        if self._banned(visit, attempt.ip, outcome.ban):
            return BANNED
        if outcome.delay > 0 and not self._slow.full and self._settings.mode == "on":
            await self._slow.hold(REFUSED, outcome.delay)
        return None

    def _tell_failed(self, visit: Visit, mechanism: str, failed: Failed, account: str) -> None:
        self._metrics.add(Metric.LOGINS_FAILED)
        self._log.info(
            "login-failed", account=account or None, mechanism=mechanism, reason=failed.words,
            client=visit.session.client_ip, session=visit.id,
        )  # fmt: skip

    def _banned(self, visit: Visit, ip: str, reason: str) -> bool:
        """Puts the ban in force that `reason` asks for; whether there is one now. An address that hides many is not
        banned (TRAPS, "Open relay through container networking")."""
        bans, home = self._parts.bans, home_of(ip)
        if self._is_own(visit):
            return False
        if reason and not (home.private and bans.is_shared(ip)):
            self._parts.teller.caught(visit, "guessing.address", self._settings.mode, "ban", reason, home.client)
            if self._settings.mode == "on":
                since = time.time()
                until = since + self._settings.ban_seconds
                bans.put_in_force(
                    Ban(network=home.client, reason=reason, since=since, until=until), self._parts.teller.banned
                )
                return True
        return bans.find(ip) is not None

    async def _known(self, name: str) -> bool:
        try:
            return await self._exists(name)
        except StoreError:
            return False

    def _is_own(self, visit: Visit) -> bool:
        return self._parts.is_exempt(visit.session.client_ip)

    async def close(self) -> None:
        """Writes what is under way and closes the file."""
        await self._exposures.close()
        await self._remembered.close()


def _attempt(visit: Visit, question: Question) -> Attempt:
    ip = visit.session.client_ip
    match question:
        case CheckPassword():
            return Attempt(account=question.authcid, ip=ip, password=question.password)
        case NeedVerifier():
            return Attempt(account=question.authcid, ip=ip)
        case CheckCertificate():
            return Attempt(account=question.authzid, ip=ip)
