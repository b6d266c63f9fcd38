"""Honest mail: it must come through, whatever way it took.

In: `Stage`. Out: steps. Standard: RFC 7208, RFC 6376, RFC 9989, RFC 8617, RFC 3464, RFC 6531, RFC 3207 in the titles.
Not here: mail that lies (`spoofed`), sessions that break rules (`sessions`).
"""

from __future__ import annotations

from gatepost.lab import cast
from gatepost.lab.letters import (
    QUIT,
    chunks,
    compose,
    data,
    delivery_status,
    envelope,
    hand_in,
    open_session,
    secure_session,
)
from gatepost.lab.scenario import Expected, Outcome, Scenario, Stage, Step

ACCEPTED = (Outcome.ACCEPTED,)


def _spf_only(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Shop <orders@shop.example>", "Your order 4711")
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw)


def _dkim_only(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Letter <news@letter.example>", "News of the week")
    return hand_in(
        stage, "mail.letter.example", "news@letter.example", stage.internet.sign("letter.example", raw, stage.now)
    )


def _bank_mail(stage: Stage) -> bytes:
    raw = compose(stage, "Bank <service@bank.example>", "Your statement", text="Your balance is 12.34 EUR.\n")
    return stage.internet.sign("bank.example", raw, stage.now)


def _both(stage: Stage) -> tuple[Step, ...]:
    return hand_in(stage, "mail.bank.example", "service@bank.example", _bank_mail(stage))


def _over_tls(stage: Stage) -> tuple[Step, ...]:
    session = secure_session("mail.bank.example")
    return (*session, *envelope(stage, "service@bank.example"), *data(_bank_mail(stage)), QUIT)


def _forwarded(stage: Stage) -> tuple[Step, ...]:
    return hand_in(stage, "out.forwarder.example", "srs0=x=bank@forwarder.example", _bank_mail(stage))


def _sealed(stage: Stage) -> tuple[Step, ...]:
    seen = (
        "out.forwarder.example; spf=pass smtp.mailfrom=service@bank.example; "
        "dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example"
    )
    changed = _bank_mail(stage).replace(b"Subject: Your", b"Subject: [alumni] Your") + b"-- \r\nforwarded for you\r\n"
    raw = stage.internet.seal("forwarder.example", changed, seen, stage.now)
    return hand_in(stage, "out.forwarder.example", "alumni@forwarder.example", raw)


def _list(stage: Stage) -> tuple[Step, ...]:
    fields = [
        "List-Id: Club talk <talk.club.example>",
        "List-Post: <mailto:talk@club.example>",
        "List-Unsubscribe: <mailto:talk-leave@club.example>",
        "Reply-To: talk@club.example",
        "Precedence: list",
    ]
    raw = compose(
        stage, '"Bob via Club talk" <talk@club.example>', "[talk] picnic", to="talk@club.example", extra=fields
    )
    signed = stage.internet.sign("club.example", raw, stage.now)
    return hand_in(stage, "lists.club.example", "talk-bounces@club.example", signed)


def _bounce(stage: Stage) -> tuple[Step, ...]:
    return hand_in(stage, "mail.bank.example", "", delivery_status(stage, "mail.bank.example"))


def _utf8(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Jörg <jörg@friend.example>", "Grüße aus Köln")
    signed = stage.internet.sign("friend.example", raw, stage.now)
    mail = Step(send="MAIL FROM:<jörg@friend.example> SMTPUTF8 BODY=8BITMIME\r\n".encode(), needs="SMTPUTF8")
    recipient = Step(send=f"RCPT TO:<{stage.target.recipient}>\r\n".encode())
    return (*open_session("mail.friend.example"), mail, recipient, *data(signed), QUIT)


def _chunked(stage: Stage) -> tuple[Step, ...]:
    session = (*open_session("mail.bank.example"), *envelope(stage, "service@bank.example"))
    return (*session, *chunks(_bank_mail(stage)), QUIT)


def _pipelined(stage: Stage) -> tuple[Step, ...]:
    together = b"".join(step.send for step in envelope(stage, "service@bank.example")) + b"DATA\r\n"
    send = Step(send=together, replies=3, needs="PIPELINING")
    return (*open_session("mail.bank.example"), send, data(_bank_mail(stage))[1], QUIT)


def _sub_address(stage: Stage) -> tuple[Step, ...]:
    local, _, domain = stage.target.recipient.rpartition("@")
    return hand_in(
        stage, "mail.bank.example", "service@bank.example", _bank_mail(stage), to=f"{local}+statements@{domain}"
    )


def _postmaster(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Shop <orders@shop.example>", "A question about your server", to="postmaster")
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw, to="postmaster")


def _no_policy(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Ann <ann@nospf.example>", "Lunch on Friday?")
    return hand_in(stage, "mail.nospf.example", "ann@nospf.example", raw)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="spf-only",
        title="a shop's order, proven by SPF",
        good=True,
        source=cast.SHOP,
        script=_spf_only,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.spf.pass", "auth.dmarc.pass")),
        why="The sending address is in the sender's SPF record, and the domain is the one in From.",
    ),
    Scenario(
        name="dkim-only",
        title="a newsletter, proven by its two DKIM signatures",
        good=True,
        source=cast.LETTER,
        script=_dkim_only,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.dkim.pass", "auth.dmarc.pass")),
        why="An RSA and an Ed25519 signature of the domain in From fit.",
    ),
    Scenario(
        name="spf-and-dkim",
        title="a bank's statement, proven both ways",
        good=True,
        source=cast.BANK,
        script=_both,
        expected=Expected(
            outcomes=ACCEPTED, actions=("accept",), codes=("auth.spf.pass", "auth.dkim.pass", "auth.dmarc.pass")
        ),
        why="SPF and DKIM agree with From; the domain's wish to refuse forgeries does not touch it.",
    ),
    Scenario(
        name="over-tls",
        title="the same over STARTTLS",
        good=True,
        source=cast.BANK,
        script=_over_tls,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.dmarc.pass",)),
        why="The connection is encrypted, the certificate is that of the server.",
    ),
    Scenario(
        name="forwarded",
        title="forwarded without a change: SPF breaks, DKIM holds",
        good=True,
        source=cast.FORWARDER,
        script=_forwarded,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.dkim.pass", "auth.dmarc.pass")),
        why="The bank's signature survives the way, so the forwarder's address does not matter.",
    ),
    Scenario(
        name="forwarded-sealed",
        title="forwarded with a changed subject, sealed by a trusted forwarder",
        good=True,
        source=cast.FORWARDER,
        script=_sealed,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.arc.trusted",)),
        why="The signature is broken, but a forwarder that we trust saw it whole and sealed that with ARC.",
    ),
    Scenario(
        name="mailing-list",
        title="a mailing list that writes itself into From",
        good=True,
        source=cast.CLUB,
        script=_list,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.dmarc.pass",)),
        why="The list signs with its own domain and says so in From.",
    ),
    Scenario(
        name="bounce",
        title="a delivery report with the empty sender",
        good=True,
        source=cast.BANK,
        script=_bounce,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",)),
        why="Reports have no return address on purpose (RFC 5321); the EHLO name proves where it comes from.",
    ),
    Scenario(
        name="utf8-address",
        title="a sender with an umlaut in the address",
        good=True,
        source=cast.FRIEND,
        script=_utf8,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.dmarc.pass",)),
        why="SMTPUTF8 is offered, and the mailbox can keep such mail.",
    ),
    Scenario(
        name="chunked",
        title="a mail in BDAT chunks",
        good=True,
        source=cast.BANK,
        script=_chunked,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("auth.dkim.pass",)),
        why="CHUNKING is offered; the parts make the same mail.",
    ),
    Scenario(
        name="pipelined",
        title="commands sent in one go, as offered",
        good=True,
        source=cast.BANK,
        script=_pipelined,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",)),
        why="PIPELINING is offered, and each command gets its reply in order.",
    ),
    Scenario(
        name="sub-address",
        title="mail to the recipient's sub-address",
        good=True,
        source=cast.BANK,
        script=_sub_address,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",)),
        why="What follows the plus sign is the recipient's own label.",
    ),
    Scenario(
        name="postmaster",
        title="mail to postmaster without a domain",
        good=True,
        source=cast.SHOP,
        script=_postmaster,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",)),
        why="Every mail server must take mail for its postmaster (RFC 5321 §4.5.1).",
    ),
    Scenario(
        name="small-server",
        title="a small server that publishes no policy at all",
        good=True,
        source=cast.NOSPF,
        script=_no_policy,
        expected=Expected(outcomes=ACCEPTED, actions=("accept", "tag")),
        why="Nothing proves the sender, nothing speaks against him; that alone is no reason to refuse.",
    ),
)
