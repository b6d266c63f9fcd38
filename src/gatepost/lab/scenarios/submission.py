"""People who hand in mail, and those who pretend to be one of them.

In: `Stage` with an account. Out: steps. Standard: RFC 6409 (submission), RFC 4954 (AUTH), RFC 8314 §3.3 (port 465),
RFC 4616 (PLAIN). Not here: what other servers send (`honest`, `spoofed`), sessions at port 25 (`sessions`).
"""

from __future__ import annotations

import base64

from gatepost.lab import cast, parcels
from gatepost.lab.letters import (
    QUIT,
    File,
    compose,
    compose_parts,
    data,
    envelope,
    open_session,
    secure_session,
)
from gatepost.lab.scenario import Door, Expected, Outcome, Scenario, Script, Stage, Step

ACCEPTED, REFUSED = (Outcome.ACCEPTED,), (Outcome.REFUSED,)
REFUSED_OR_CLOSED = (Outcome.REFUSED, Outcome.CLOSED, Outcome.DEFERRED)
NAME = "[127.0.0.1]"


def _log_in(stage: Stage, account: str = "", password: str = "", *, raw: bytes | None = None) -> Step:
    """AUTH PLAIN in one line; `raw` is sent instead of a proper answer."""
    who, secret = account or stage.target.account, password or stage.target.password
    answer = base64.b64encode(f"\0{who}\0{secret}".encode()) if raw is None else raw
    return Step(send=b"AUTH PLAIN " + answer + b"\r\n")


def _letter(stage: Stage, sender: str = "") -> bytes:
    return compose(stage, f"Alice <{sender or stage.target.account}>", "Lunch", to=f"bob@{stage.target.domain}")


def _session(door: Door) -> tuple[Step, ...]:
    return open_session(NAME) if door is Door.SUBMISSIONS else secure_session(NAME)


def _sends(door: Door, *, as_from: str = "", as_envelope: str = "", to: str = "") -> Script:
    """Logs in and hands in a letter, perhaps as somebody else."""

    def script(stage: Stage) -> tuple[Step, ...]:
        sender = as_envelope or stage.target.account
        there = envelope(stage, sender, to=to or f"bob@{stage.target.domain}")
        return (*_session(door), _log_in(stage), *there, *data(_letter(stage, as_from)), QUIT)

    return script


def _tries(*, account: str = "", password: str = "", raw: bytes | None = None) -> Script:
    """Logs in with something else than the right password."""

    def script(stage: Stage) -> tuple[Step, ...]:
        return (*_session(Door.SUBMISSIONS), _log_in(stage, account, password, raw=raw), QUIT)

    return script


def _cancels(stage: Stage) -> tuple[Step, ...]:
    return (*_session(Door.SUBMISSIONS), Step(send=b"AUTH PLAIN\r\n"), Step(send=b"*\r\n"), QUIT)


def _without_login(stage: Stage) -> tuple[Step, ...]:
    return (*_session(Door.SUBMISSIONS), *envelope(stage, stage.target.account), QUIT)


def _without_tls(stage: Stage) -> tuple[Step, ...]:
    return (*open_session(NAME), *envelope(stage, stage.target.account), QUIT)


def _password_in_the_open(stage: Stage) -> tuple[Step, ...]:
    return (*open_session(NAME), _log_in(stage, password="not-the-right-one"), QUIT)  # noqa: S106 - it is none


def _guesses(stage: Stage) -> tuple[Step, ...]:
    tries = [_log_in(stage, f"bob@{stage.target.domain}", f"Summer{year}!") for year in range(2005, 2027)]
    attempts = [Step(send=step.send, refusals=True) for step in tries]
    return (*_session(Door.SUBMISSIONS), *attempts, QUIT)


def _sends_program(stage: Stage) -> tuple[Step, ...]:
    file = File(name="invoice.pdf.exe", media_type="application/octet-stream", octets=parcels.PROGRAM)
    raw = compose_parts(stage, f"Alice <{stage.target.account}>", "Invoice", text="See below.\n", files=[file])
    there = envelope(stage, stage.target.account, to=f"bob@{stage.target.domain}")
    return (*_session(Door.SUBMISSIONS), _log_in(stage), *there, *data(raw), QUIT)


def _blind_copy(stage: Stage) -> tuple[Step, ...]:
    raw = compose(
        stage,
        f"Alice <{stage.target.account}>",
        "Lunch",
        to="undisclosed-recipients:;",
        extra=[f"Bcc: bob@{stage.target.domain}"],
    )
    there = envelope(stage, stage.target.account, to=f"bob@{stage.target.domain}")
    return (*_session(Door.SUBMISSIONS), _log_in(stage), *there, *data(raw), QUIT)


def _signed_twice(octets: bytes, stage: Stage) -> str:
    head = octets.partition(b"\r\n\r\n" if b"\r\n\r\n" in octets else b"\n\n")[0].lower()
    signatures = head.count(b"\ndkim-signature:") + head.startswith(b"dkim-signature:")
    return "" if signatures == 2 else f"it carries {signatures} signatures, not two"


def _no_blind_copy(octets: bytes, stage: Stage) -> str:
    return "it shows the blind copy" if b"\nbcc:" in octets.lower() else ""


def _visit(
    name: str,
    title: str,
    script: Script,
    expected: Expected,
    why: str,
    *,
    good: bool = False,
    door: Door = Door.SUBMISSIONS,
    source: str = cast.HOME,
) -> Scenario:
    return Scenario(
        name=name, title=title, good=good, source=source, script=script, expected=expected, why=why, door=door
    )


SCENARIOS: tuple[Scenario, ...] = (
    _visit(
        "submit-tls",
        "Alice logs in at port 465 and writes to Bob",
        _sends(Door.SUBMISSIONS),
        Expected(outcomes=ACCEPTED, actions=("accept",), delivered=_signed_twice),
        "TLS from the first octet; the mail leaves signed with both keys.",
        good=True,
    ),
    _visit(
        "submit-starttls",
        "the same at port 587, after STARTTLS",
        _sends(Door.SUBMISSION),
        Expected(outcomes=ACCEPTED, actions=("accept",), delivered=_signed_twice),
        "Older programs know this way only; nothing is said before TLS.",
        good=True,
        door=Door.SUBMISSION,
    ),
    _visit(
        "submit-blind-copy",
        "a blind copy",
        _blind_copy,
        Expected(outcomes=ACCEPTED, actions=("accept",), delivered=_no_blind_copy),
        "Nobody may see who else got it.",
        good=True,
    ),
    _visit(
        "submit-as-other",
        "Alice writes as Bob",
        _sends(Door.SUBMISSIONS, as_from="bob@gate.example"),
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "The author must be the account, or have allowed it.",
    ),
    _visit(
        "submit-envelope-of-other",
        "Alice's account with a bank's address in the envelope",
        _sends(Door.SUBMISSIONS, as_envelope="service@bank.example"),
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "Nobody sends through us in another's name.",
    ),
    _visit(
        "submit-without-login",
        "mail without logging in",
        _without_login,
        Expected(outcomes=REFUSED, reply_codes=("530",)),
        "This door is for those who have an account.",
    ),
    _visit(
        "submit-without-tls",
        "mail without TLS",
        _without_tls,
        Expected(outcomes=REFUSED, reply_codes=("530",)),
        "At port 587 nothing is taken before STARTTLS.",
        door=Door.SUBMISSION,
    ),
    _visit(
        "submit-password-in-the-open",
        "a password before STARTTLS",
        _password_in_the_open,
        Expected(outcomes=REFUSED_OR_CLOSED, reply_codes=("53", "50", "421")),
        "It is refused, and the log names the account, so that its owner can be warned.",
        door=Door.SUBMISSION,
    ),
    _visit(
        "submit-wrong-password",
        "a wrong password",
        _tries(password="not-the-right-one"),  # noqa: S106 - it is none
        Expected(outcomes=REFUSED, reply_codes=("535",)),
        "The answer is the same, and takes as long, as for an account that does not exist.",
        source=cast.GUESSER,
    ),
    _visit(
        "submit-no-such-account",
        "an account that does not exist",
        _tries(account="nobody@gate.example", password="not-the-right-one"),  # noqa: S106 - it is none
        Expected(outcomes=REFUSED, reply_codes=("535",)),
        "Nobody learns which accounts there are.",
        source=cast.GUESSER,
    ),
    _visit(
        "submit-guesses",
        "twenty-two guesses at Bob's password",
        _guesses,
        Expected(outcomes=(Outcome.DEFERRED, Outcome.CLOSED)),
        "Guessing is slowed, then cut off; those in the house are not.",
        source=cast.GUESSER,
    ),
    _visit(
        "submit-no-base64",
        "an answer that is no base64",
        _tries(raw=b"!!!"),
        Expected(outcomes=REFUSED, reply_codes=("50", "53")),
        "One clear reply, and the session goes on.",
    ),
    _visit(
        "submit-null-in-name",
        "a NUL in the account's name",
        _tries(raw=base64.b64encode(b"\0alice@gate.example\0\0x\0y")),
        Expected(outcomes=REFUSED, reply_codes=("50", "53")),
        "What parts the fields cannot stand in one.",
    ),
    _visit(
        "submit-cancelled",
        "a login that is called off",
        _cancels,
        Expected(outcomes=REFUSED, reply_codes=("501",)),
        "RFC 4954 §4: a star ends the exchange.",
    ),
    _visit(
        "submit-program",
        "Alice's program sends a program",
        _sends_program,
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "What leaves is inspected, too: a stolen account shall do little harm.",
    ),
    _visit(
        "submit-elsewhere",
        "mail to somebody elsewhere, with no way out configured",
        _sends(Door.SUBMISSIONS, to="friend@friend.example"),
        Expected(outcomes=(Outcome.REFUSED, Outcome.DEFERRED), reply_codes=("4", "5")),
        "Said at once, not in a bounce days later.",
    ),
)
