"""Encryption: old versions, broken suites, certificates, and the tricks around STARTTLS.

In: nothing. Out: `SCENARIOS`. Standard: RFC 3207 §4.2 and RFC 2595 (STARTTLS), RFC 8996 (no TLS 1.0, 1.1), RFC 9325,
RFC 7507 (downgrade), RFC 5746 (renegotiation), CVE-2011-0411 (injection). Hellos are written by hand (`wire.tls`), so
what our own OpenSSL refuses can be asked for. Not here: passwords before TLS (`login`); all suites (the audit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import by_outcome, describe, failed, passed, untested
from gatepost.audit.probe.scenario import Group, Judge, Judged, Play, Played, Scenario, World
from gatepost.audit.probe.scenarios.login import ALL, offers_login
from gatepost.audit.probe.speech import CAPA, CAPABILITY, EHLO, GREETING, MAIL, RCPT, STARTTLS, goodbye, session
from gatepost.finding import Severity
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Call, Outcome, Step, Visit
from gatepost.wire.renegotiation import Again, RenegotiatingClient
from gatepost.wire.tls import (
    ANONYMOUS,
    COMMON,
    FALLBACK_SCSV,
    INAPPROPRIATE_FALLBACK,
    NAMES,
    RENEGOTIATION_INFO,
    RENEGOTIATION_SCSV,
    SSL_3,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    WEAK,
    HelloAnswer,
    read_hello_answer,
    write_client_hello,
)

QUIET = 0.4
_SOON = 14  # days before its end that a certificate is spoken of
BEGIN = {
    Spoken.SMTP: (GREETING, EHLO, Step(send=b"STARTTLS\r\n", needs="STARTTLS")),
    Spoken.IMAP: (GREETING, CAPABILITY, Step(send=b"s STARTTLS\r\n", needs="STARTTLS")),
    Spoken.POP3: (GREETING, CAPA, Step(send=b"STLS\r\n", needs="STLS")),
}
INJECT = {
    Spoken.SMTP: b"STARTTLS\r\nNOOP\r\n",
    Spoken.IMAP: b"s STARTTLS\r\nx NOOP\r\n",
    Spoken.POP3: b"STLS\r\nCAPA\r\n",
}
_PLAIN = {Spoken.SMTP: b"NOOP\r\n", Spoken.IMAP: b"x NOOP\r\n", Spoken.POP3: b"CAPA\r\n"}


async def hello(world: World, aim: Aim, version: int, suites: Sequence[int], *, deflate: bool = False) -> Visit:
    """A connection up to where TLS begins, and a hello written by hand."""
    random = sha256(f"{aim.mark} {version} {suites}".encode()).digest()
    compressions = b"\x01\0" if deflate else b"\0"
    octets = write_client_hello(version, suites, random, name=aim.target.host, compressions=compressions)
    begin = () if aim.target.implicit_tls else aim.fill(BEGIN[aim.target.spoken])
    target = replace(aim.target, implicit_tls=False)  # the hello is ours
    return await world.visitor.visit(
        Call(target=target, steps=(*begin, Step(send=octets, raw=True, question=True)), source=aim.source)
    )


def answer_of(visit: Visit) -> HelloAnswer | None:
    """What the server said to the hello; None when it was not asked."""
    if not visit.asked:
        return None
    received = b"".join(said.received for said in visit.said if said.question)
    return read_hello_answer(received) if received else HelloAnswer(is_tls=False)


def _hellos(version: int, *lists: Sequence[int], deflate: bool = False) -> Play:
    async def play(world: World, aim: Aim, scenario: Scenario) -> Played:
        visits = [await hello(world, aim, version, suites, deflate=deflate) for suites in lists]
        return Played(visits=tuple(visits))

    return play


def _judge_version(version: int) -> Judge:
    def judge(played: Played, aim: Aim, scenario: Scenario) -> Judged:
        answer = answer_of(played.visits[0])
        if answer is None:
            return untested(describe(played.visits[0]))
        if answer.version == version and answer.suite:
            return failed(f"it agreed to {NAMES[version]} with suite 0x{answer.suite:04x}")
        return passed(_refusal(answer))

    return judge


def _refusal(answer: HelloAnswer) -> str:
    if answer.alert is not None:
        return f"it refused with alert {answer.alert}"
    return f"it answered with {NAMES.get(answer.version, 'another version')}" if answer.version else "it hung up"


def _judge_weak(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    answers = [answer_of(visit) for visit in played.visits]
    if None in answers:
        return untested(describe(played.visits[0]))
    agreed = [kind for kind, answer in zip(WEAK, answers, strict=True) if answer and answer.suite]
    if agreed:
        gravest = Severity.DANGER if {"NULL", "EXPORT", "DES"} & set(agreed) else Severity.WARNING
        return failed(f"it agreed to {', '.join(agreed)}", gravest, kinds=agreed)
    return passed(f"it refused {', '.join(WEAK)}")


def _judge_anonymous(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    answer = answer_of(played.visits[0])
    if answer is None:
        return untested(describe(played.visits[0]))
    if not answer.suite:
        return passed(_refusal(answer))
    if not aim.has("AUTH") and aim.target.spoken is Spoken.SMTP:
        return passed("it agreed, which does no harm where no password goes through and any certificate will do")
    return failed(f"it agreed to suite 0x{answer.suite:04x}")


def _judge_fallback(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    answer = answer_of(played.visits[0])
    if answer is None:
        return untested(describe(played.visits[0]))
    if answer.alert == INAPPROPRIATE_FALLBACK or not answer.suite:
        return passed(_refusal(answer))
    return failed(f"it agreed to {NAMES.get(answer.version, '?')} although the client said that it can do better")


def _judge_renegotiation(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    answer = answer_of(played.visits[0])
    if answer is None or not (answer.suite or answer.alert is not None):
        return untested(describe(played.visits[0]))
    if not answer.suite:
        return passed("it speaks only TLS 1.3, which has no renegotiation")
    if RENEGOTIATION_INFO in answer.extensions:
        return passed("it confirms secure renegotiation")
    return failed("it does not confirm secure renegotiation")


def _judge_compression(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    answer = answer_of(played.visits[0])
    if answer is None:
        return untested(describe(played.visits[0]))
    return failed("it compresses") if answer.compression else passed("it does not compress")


async def _renegotiate(world: World, aim: Aim, scenario: Scenario) -> Played:
    seed = f"{aim.mark} renegotiation".encode()
    randomness = b"".join(sha256(seed + bytes([part])).digest() for part in range(3))
    client = RenegotiatingClient(randomness, aim.target.host)
    begin = () if aim.target.implicit_tls else aim.fill(BEGIN[aim.target.spoken])
    target = replace(aim.target, implicit_tls=False)
    steps = (*begin, Step(machine=client, question=True))
    visit = await world.visitor.visit(Call(target=target, steps=steps, source=aim.source))
    return Played(visits=(visit,), notes={"answer": client.answer, "why": client.why})


def _judge_again(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    answer, why = played.notes["answer"], played.notes["why"]
    if answer is Again.ACCEPTED:
        return failed(why)
    if answer is Again.REFUSED:
        return passed(f"it refuses ({why})")
    return untested(why or describe(played.visits[0]))


async def _certificate(world: World, aim: Aim, scenario: Scenario) -> Played:
    """Once to see it, once to have it checked."""
    visits = []
    for verified in (False, True):
        steps = aim.fill((*session(aim, secure=True), goodbye(aim)))
        call = Call(
            target=aim.target, steps=steps, verified=verified, authority=aim.authority, source=aim.source, seconds=30.0
        )
        visits.append(await world.visitor.visit(call))
    return Played(visits=tuple(visits))


def _judge_certificate(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    seen, checked = played.visits
    if seen.tls is None or not seen.tls.chain:
        return untested(describe(seen))
    faults = [] if checked.tls is None or not checked.tls.failure else [checked.tls.failure]
    faults += _faults(seen.tls.chain[0], aim.now)
    if not faults:
        return passed(f"{seen.tls.version}, and its certificate is good for {aim.target.host}")
    # Between servers any certificate will do today (RFC 7435); people's programs stop.
    for_servers = aim.target.spoken is Spoken.SMTP and not aim.has("AUTH")
    return failed("; ".join(dict.fromkeys(faults)), Severity.NOTICE if for_servers else Severity.WARNING)


def _faults(der: bytes, now: float) -> list[str]:
    try:
        leaf = x509.load_der_x509_certificate(der)
        key, algorithm = leaf.public_key(), leaf.signature_hash_algorithm
        days = (leaf.not_valid_after_utc - datetime.fromtimestamp(now, UTC)).days
    except (ValueError, UnsupportedAlgorithm) as error:
        return [f"the certificate cannot be read: {error}"]
    faults = []
    if days < 0:
        faults.append(f"it expired {-days} days ago")
    elif days < _SOON:
        faults.append(f"it expires in {days} days")
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)) and key.key_size < 2048:
        faults.append(f"its key has only {key.key_size} bits")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < 256:
        faults.append(f"its key has only {key.key_size} bits")
    if algorithm is not None and algorithm.name in ("md5", "sha1"):
        faults.append(f"it is signed with {algorithm.name.upper()}")
    return faults


async def _inject(world: World, aim: Aim, scenario: Scenario) -> Played:
    keyword = "STLS" if aim.target.spoken is Spoken.POP3 else "STARTTLS"
    begin = BEGIN[aim.target.spoken][:2]
    step = Step(send=INJECT[aim.target.spoken], needs=keyword, tls=True, quiet=QUIET, question=True)
    call = Call(target=aim.target, steps=aim.fill((*begin, step)), source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


async def _go_on_in_the_clear(world: World, aim: Aim, scenario: Scenario) -> Played:
    step = Step(send=_PLAIN[aim.target.spoken], replies=0, quiet=QUIET, question=True)
    call = Call(target=aim.target, steps=aim.fill((*BEGIN[aim.target.spoken], step)), source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


def _judge_offered(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    if aim.target.implicit_tls or aim.starttls:
        return passed("TLS is there")
    return failed("it announces no STARTTLS")


async def _say_nothing(world: World, aim: Aim, scenario: Scenario) -> Played:
    return Played(visits=())


def _judge_stripping(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Where people log in, nothing may go on without TLS; between servers that is MTA-STS's and DANE's part."""
    visit = played.visits[0]
    if offers_login(aim, aim.offers):
        return failed("with STARTTLS taken out of its answer, programs would send passwords in the clear")
    if visit.outcome is Outcome.ACCEPTED:
        return passed("other servers' mail is taken in the clear, as it must be; MTA-STS and DANE guard against that")
    return by_outcome(visit, scenario)


def _tls(name: str, title: str, bad: str, why: str, remedy: str, **more: object) -> Scenario:
    given = {"group": Group.TLS, "spoken": ALL, "needs": (Need.TLS,)} | more
    return Scenario(name=name, title=title, bad=bad, why=why, remedy=remedy, **given)  # type: ignore[arg-type]


def _old(name: str, version: int, severity: Severity) -> Scenario:
    words = NAMES[version]
    return _tls(
        name,
        f"a handshake of {words}",
        f"The server still speaks {words}.",
        "Its ciphers and hashes are broken in practice; who is on the way can push programs down to it.",
        "Set the floor to TLS 1.2 (Postfix: smtpd_tls_protocols = >=TLSv1.2, and smtpd_tls_mandatory_protocols; Exim: "
        "tls_require_ciphers and openssl_options; Dovecot: ssl_min_protocol = TLSv1.2).",
        severity=severity,
        reference="RFC 8996 §3; RFC 9325 §3.1.1",
        play=_hellos(version, COMMON),
        judge=_judge_version(version),
    )


SCENARIOS: tuple[Scenario, ...] = (
    _tls(
        "tls-offered",
        "TLS at all",
        "The server offers no encryption.",
        "Everything is readable on the way, passwords too.",
        "Give it a certificate and switch STARTTLS on.",
        reference="RFC 8314 §3; RFC 3207",
        needs=(),
        play=_say_nothing,
        judge=_judge_offered,
    ),
    _old("tls-ssl-3", SSL_3, Severity.DANGER),
    _old("tls-1-0", TLS_1_0, Severity.WARNING),
    _old("tls-1-1", TLS_1_1, Severity.WARNING),
    _tls(
        "tls-weak-suites",
        "suites without or with broken encryption",
        "The server agrees to broken encryption.",
        "What is encrypted with these can be read, today or by whoever keeps it.",
        "Take them out of the server's list (RFC 9325 §4.1); for OpenSSL: HIGH:!aNULL:!eNULL:!3DES:!RC4.",
        reference="RFC 9325 §4.1; RFC 7465",
        play=_hellos(TLS_1_2, *WEAK.values()),
        judge=_judge_weak,
    ),
    _tls(
        "tls-anonymous",
        "suites without a certificate",
        "The server agrees to encryption without a certificate where people log in.",
        "Anybody on the way can be the server, and gets the passwords.",
        "Take anonymous suites out (OpenSSL: !aNULL; Postfix: smtpd_tls_mandatory_exclude_ciphers = aNULL).",
        reference="RFC 9325 §4.1",
        play=_hellos(TLS_1_2, ANONYMOUS),
        judge=_judge_anonymous,
    ),
    _tls(
        "tls-downgrade",
        "a client that was talked down to TLS 1.1",
        "The server lets somebody on the way push a handshake down to an old version.",
        "The client said that it only tries TLS 1.1 because something better failed; that was the attack.",
        "Speak TLS 1.2 and 1.3 only; or honour TLS_FALLBACK_SCSV (OpenSSL does since 1.0.1j).",
        reference="RFC 7507 §3",
        play=_hellos(TLS_1_1, (*COMMON, FALLBACK_SCSV)),
        judge=_judge_fallback,
    ),
    _tls(
        "tls-renegotiation",
        "secure renegotiation",
        "The server's TLS does not protect renegotiation: something can be put in front of what a client says.",
        "Somebody on the way sends a beginning of his own, and the server takes what follows for the same client's.",
        "Use a TLS library of this decade.",
        reference="RFC 5746 §3.6",
        play=_hellos(TLS_1_2, (*COMMON, RENEGOTIATION_SCSV)),
        judge=_judge_renegotiation,
    ),
    _tls(
        "tls-client-renegotiation",
        "a second handshake, begun by the client",
        "The server begins a new handshake whenever a client wishes.",
        "A handshake costs the server far more than the client: one machine with few connections can keep it busy.",
        "Forbid it (OpenSSL 3 does by itself; Postfix: tls_ssl_options = NO_RENEGOTIATION), or limit connections.",
        severity=Severity.NOTICE,
        reference="RFC 9325 §3.5",
        play=_renegotiate,
        judge=_judge_again,
    ),
    _tls(
        "tls-compression",
        "compression in TLS",
        "The server compresses inside TLS.",
        "How long a compressed text is gives away what is in it (CRIME).",
        "Switch compression off in the TLS library.",
        severity=Severity.NOTICE,
        reference="RFC 9325 §3.3",
        play=_hellos(TLS_1_2, COMMON, deflate=True),
        judge=_judge_compression,
    ),
    _tls(
        "tls-certificate",
        "its certificate",
        "The server's certificate is not good.",
        "Programs warn or stop, and people who learn to click warnings away will do so when it matters.",
        "Get a certificate for this name from an authority that people's programs know, and renew it by itself (ACME).",
        reference="RFC 7817 §3; RFC 9325 §7.1",
        play=_certificate,
        judge=_judge_certificate,
    ),
    _tls(
        "starttls-injection",
        "a command slipped in behind STARTTLS",
        "What comes in the clear behind STARTTLS counts as if it had come inside TLS.",
        "Somebody on the way puts commands there: they are obeyed in the name of the client, whose password may end up "
        "in the attacker's mail.",
        "Throw away what is in the buffer when TLS begins: bring the server up to date.",
        severity=Severity.DANGER,
        reference="RFC 3207 §4.2; CVE-2011-0411",
        needs=(Need.STARTTLS,),
        play=_inject,
        good=(Outcome.ACCEPTED, Outcome.REFUSED, Outcome.CLOSED, Outcome.DEFERRED, Outcome.NONSENSE),
        unclear=(Outcome.SILENT,),
    ),
    _tls(
        "starttls-ignored",
        "going on in the clear after STARTTLS",
        "The server goes on in the clear when the handshake does not come.",
        "Who is on the way only has to break the handshake to read everything.",
        "Close the connection when what comes after STARTTLS is no handshake: bring the server up to date.",
        severity=Severity.DANGER,
        reference="RFC 3207 §4.1",
        needs=(Need.STARTTLS,),
        play=_go_on_in_the_clear,
        good=(Outcome.ACCEPTED, Outcome.CLOSED, Outcome.NONSENSE, Outcome.DEFERRED),
        unclear=(Outcome.SILENT,),
    ),
    _tls(
        "starttls-forgets",
        "a sender named before STARTTLS, a recipient after it",
        "The server remembers in TLS what was said before it.",
        "What came in the clear may be anybody's; in TLS it looks as if the client had said it.",
        "Begin anew after the handshake: bring the server up to date.",
        reference="RFC 3207 §4.2",
        spoken=(Spoken.SMTP,),
        needs=(Need.STARTTLS,),
        closed=("503", "530"),
        opens=False,
        steps=(GREETING, EHLO, MAIL, STARTTLS, Step(send=RCPT.send, question=True)),
    ),
    _tls(
        "starttls-stripping",
        "a submission that goes on without TLS",
        "Where people hand in mail or log in, the server goes on without TLS.",
        "Somebody on the way takes STARTTLS out of the server's answer, and everything goes on in the clear.",
        "Refuse all but EHLO, STARTTLS, NOOP and QUIT before TLS (Postfix: smtpd_tls_security_level = encrypt for "
        "submission; Dovecot: ssl = required).",
        severity=Severity.DANGER,
        reference="RFC 3207 §6; RFC 8314 §3.3",
        spoken=(Spoken.SMTP,),
        needs=(Need.STARTTLS,),
        closed=("530",),
        secure=False,
        steps=(Step(send=b"MAIL FROM:<{author}>\r\n"), Step(send=RCPT.send, question=True)),
        judge=_judge_stripping,
    ),
)
