"""Mail that lies about who sent it, or about itself.

In: `Stage`. Out: steps. Standard: RFC 9989, RFC 6376 §8, RFC 5322 §3.6, RFC 8601 §5 in the titles.
Not here: honest mail (`honest`), sessions that break rules (`sessions`).
"""

from __future__ import annotations

from dataclasses import replace

from gatepost.lab import cast
from gatepost.lab.letters import compose, hand_in, plain_text
from gatepost.lab.scenario import Expected, Outcome, Scenario, Stage, Step

ACCEPTED, REFUSED = (Outcome.ACCEPTED,), (Outcome.REFUSED,)
HOUR = 3600
URGENT = "Dear customer,\n\nplease confirm your account today.\n"


def _spoofed(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Bank <service@bank.example>", "Confirm your account", text=URGENT)
    return hand_in(stage, "host7.hoster.example", "service@bank.example", raw)


def _spoofed_other_envelope(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Bank <service@bank.example>", "Confirm your account", text=URGENT)
    return hand_in(stage, "mx.freemail.example", "mallory@freemail.example", raw)


def _spoofed_without_policy(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Ann <ann@nospf.example>", "New bank details", text=URGENT)
    return hand_in(stage, "dialup.example", "ann@nospf.example", raw)


def _spoofed_below(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Bank <alert@secure.bank.example>", "Confirm your account", text=URGENT)
    return hand_in(stage, "host7.hoster.example", "alert@secure.bank.example", raw)


def _spoofed_monitored(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Shop <orders@shop.example>", "Your order 4713", text=URGENT)
    return hand_in(stage, "host7.hoster.example", "bounce@hoster.example", raw)


def _spoofed_ours(stage: Stage) -> tuple[Step, ...]:
    boss = f"boss@{stage.target.domain}"
    raw = compose(stage, f"The boss <{boss}>", "Urgent transfer", text=URGENT)
    return hand_in(stage, "host7.hoster.example", boss, raw)


def _name_lies(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, '"service@bank.example" <mallory@freemail.example>', "Your account", text=URGENT)
    signed = stage.internet.sign("freemail.example", raw, stage.now)
    return hand_in(stage, "mx.freemail.example", "mallory@freemail.example", signed)


def _name_lies_unproven(stage: Stage) -> tuple[Step, ...]:
    raw = compose(
        stage,
        '"service@bank.example" <mallory@hoster.example>',
        "Your account",
        text=URGENT,
        extra=["Reply-To: service@freemail.example", *plain_text()],
    )
    return hand_in(stage, "dialup.example", "mallory@hoster.example", raw)


def _two_from(stage: Stage) -> tuple[Step, ...]:
    raw = compose(
        stage,
        "Mallory <mallory@freemail.example>",
        "Your account",
        text=URGENT,
        top=["From: Bank <service@bank.example>"],
    )
    return hand_in(stage, "mx.freemail.example", "mallory@freemail.example", raw)


def _no_reverse(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Ann <ann@hoster.example>", "Cheap watches")
    return hand_in(stage, "dialup.example", "ann@hoster.example", raw)


def _borrowed_reverse(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Ann <ann@hoster.example>", "Cheap watches")
    return hand_in(stage, "mail.bank.example", "ann@hoster.example", raw)


def _replayed(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Bank <service@bank.example>", "Your statement", text="Your balance is 12.34 EUR.\n")
    changed = stage.internet.sign("bank.example", raw, stage.now).replace(b"12.34", b"-9999.00")
    return hand_in(stage, "host7.hoster.example", "bounce@hoster.example", changed)


def _expired(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Friend <bob@friend.example>", "See you tomorrow")
    signed = stage.internet.sign("friend.example", raw, stage.now - 48 * HOUR, expire=HOUR)
    return hand_in(stage, "host7.hoster.example", "bounce@hoster.example", signed)


def _false_seal(stage: Stage) -> tuple[Step, ...]:
    seen = "out.forwarder.example; dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example"
    raw = compose(stage, "Bank <service@bank.example>", "Your statement", text="Your balance is 12.34 EUR.\n")
    sealed = stage.internet.seal("forwarder.example", raw, seen, stage.now)
    return hand_in(stage, "host7.hoster.example", "bounce@hoster.example", sealed.replace(b"12.34", b"-9999.00"))


def _stranger_seals(stage: Stage) -> tuple[Step, ...]:
    seen = "mx.freemail.example; dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example"
    raw = compose(stage, "Bank <service@bank.example>", "Confirm your account", text=URGENT)
    sealed = stage.internet.seal("freemail.example", raw, seen, stage.now)
    return hand_in(stage, "mx.freemail.example", "mallory@freemail.example", sealed)


def _forged_verdict(stage: Stage) -> tuple[Step, ...]:
    server = stage.target.name or stage.target.domain
    forged = [
        "Return-Path: <service@bank.example>",
        "Gatepost-Verdict: accept; forged=yes",
        f"Authentication-Results: {server}; spf=pass smtp.mailfrom=bank.example; dmarc=pass; forged=yes",
    ]
    raw = compose(stage, "Shop <orders@shop.example>", "Your order 4712", top=forged)
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw)


def _nothing_forged_left(mail: bytes, stage: Stage) -> str:
    """The fields a stranger wrote in our name are gone, our own stand."""
    header = mail.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if b"forged=yes" in header or b"<service@bank.example>" in header:
        return "a forged field is still in the delivered mail"
    return "" if b"Authentication-Results:" in header else "no Authentication-Results of our own"


def _dns_silent(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Slow <info@slow.example>", "Hello")
    return hand_in(stage, "mail.slow.example", "info@slow.example", raw)


def _null_mx(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Nobody <nobody@nomail.example>", "Hello")
    return hand_in(stage, "host7.hoster.example", "nobody@nomail.example", raw)


def _no_from(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "nobody@hoster.example", "Hello").partition(b"\r\n")[2]
    return hand_in(stage, "host7.hoster.example", "nobody@hoster.example", raw)


def _from_the_future(stage: Stage) -> tuple[Step, ...]:
    """Dates ahead of time keep a mail on top of the reader's list."""
    ahead = replace(stage, now=stage.now + 400 * 24 * HOUR)
    return hand_in(
        stage, "mail.shop.example", "orders@shop.example", compose(ahead, "Shop <orders@shop.example>", "On top")
    )


def _calls_itself_us(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Ann <ann@hoster.example>", "Cheap watches")
    return hand_in(stage, stage.target.domain, "ann@hoster.example", raw)


def _looped(stage: Stage) -> tuple[Step, ...]:
    hops = [
        f"Received: from a{n}.hoster.example by b{n}.hoster.example; Mon, 01 Jun 2026 10:00:00 +0000"
        for n in range(110)
    ]
    raw = compose(stage, "Ann <ann@nospf.example>", "Round and round", top=hops)
    return hand_in(stage, "mail.nospf.example", "ann@nospf.example", raw)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="spoofed-reject",
        title="a bank's address, from a rented server",
        good=False,
        source=cast.HOSTER,
        script=_spoofed,
        expected=Expected(
            outcomes=REFUSED, reply_codes=("55",), actions=("reject",), codes=("auth.spf.fail", "auth.dmarc.fail")
        ),
        why="Neither SPF nor DKIM proves the bank, and the bank asks to refuse such mail.",
    ),
    Scenario(
        name="spoofed-behind-own-envelope",
        title="the bank in From, the spoofer's own proven address in the envelope",
        good=False,
        source=cast.FREEMAIL,
        script=_spoofed_other_envelope,
        expected=Expected(outcomes=REFUSED, reply_codes=("55",), actions=("reject",), codes=("auth.dmarc.fail",)),
        why="SPF passes, but for another domain than the one the reader sees.",
    ),
    Scenario(
        name="spoofed-no-policy",
        title="the address of a domain that publishes nothing, from a home computer",
        good=False,
        source=cast.DIALUP,
        script=_spoofed_without_policy,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine"),
            codes=("path.no-reverse-dns", "auth.dmarc.none"),
        ),
        why="The domain gives nothing to check against; only the address it comes from looks bad.",
    ),
    Scenario(
        name="spoofed-subdomain",
        title="an invented domain below the bank's",
        good=False,
        source=cast.HOSTER,
        script=_spoofed_below,
        expected=Expected(outcomes=REFUSED, reply_codes=("55",), actions=("reject",), codes=("auth.dmarc.fail",)),
        why="The bank's policy holds for all names below its own, also for those that do not exist.",
    ),
    Scenario(
        name="spoofed-monitored",
        title="a shop's address, whose policy asks for reports only",
        good=False,
        source=cast.HOSTER,
        script=_spoofed_monitored,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine"),
            codes=("auth.dmarc.fail",),
        ),
        why="The domain does not ask for more; the failure weighs, and the owner should move on to reject.",
    ),
    Scenario(
        name="spoofed-ours",
        title="our own domain in From, from outside",
        good=False,
        source=cast.HOSTER,
        script=_spoofed_ours,
        expected=Expected(outcomes=REFUSED, reply_codes=("55",), actions=("reject",), codes=("auth.dmarc.fail",)),
        why="Nobody outside writes in our name; our own DMARC record says so.",
    ),
    Scenario(
        name="name-carries-address",
        title="a display name that shows the bank's address, from a proven free mail address",
        good=False,
        source=cast.FREEMAIL,
        script=_name_lies,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine", "reject"),
            codes=("sender.name-carries-address", "auth.dmarc.pass"),
        ),
        why="Proven, but not the bank. Help desks write such names too, so it weighs but does not decide.",
    ),
    Scenario(
        name="name-carries-address-unproven",
        title="the same from a home computer, with answers going elsewhere",
        good=False,
        source=cast.DIALUP,
        script=_name_lies_unproven,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("tag", "quarantine", "reject"),
            codes=("sender.name-carries-address", "path.no-reverse-dns"),
        ),
        why="Readers see the name only; with nothing that proves the sender it goes to Junk.",
    ),
    Scenario(
        name="two-from",
        title="two From fields",
        good=False,
        source=cast.FREEMAIL,
        script=_two_from,
        expected=Expected(outcomes=REFUSED, reply_codes=("55",), actions=("reject",), codes=("header.several-from",)),
        why="Readers differ in which one they show; no honest program writes two.",
    ),
    Scenario(
        name="no-reverse-name",
        title="an address without a reverse name",
        good=False,
        source=cast.DIALUP,
        script=_no_reverse,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine"),
            codes=("path.no-reverse-dns",),
        ),
        why="Large senders fail this too, so it weighs but does not decide.",
    ),
    Scenario(
        name="borrowed-reverse-name",
        title="an address whose reverse name is the bank's",
        good=False,
        source=cast.LIAR,
        script=_borrowed_reverse,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine"),
            codes=("path.reverse-unconfirmed",),
        ),
        why="Anybody can write any reverse name; the bank's name does not lead back to this address.",
    ),
    Scenario(
        name="dkim-replay-changed",
        title="a bank's signed mail with another sum in it",
        good=False,
        source=cast.HOSTER,
        script=_replayed,
        expected=Expected(
            outcomes=REFUSED, reply_codes=("55",), actions=("reject",), codes=("auth.dkim.fail", "auth.dmarc.fail")
        ),
        why="The body is not the one that was signed.",
    ),
    Scenario(
        name="dkim-expired",
        title="a signature that expired yesterday",
        good=False,
        source=cast.HOSTER,
        script=_expired,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("quarantine",),
            codes=("auth.dkim.expired", "auth.dmarc.fail"),
        ),
        why="The signer gave it an hour; his domain asks to hold back what it does not prove.",
    ),
    Scenario(
        name="arc-broken-seal",
        title="a trusted forwarder's seal over another text",
        good=False,
        source=cast.HOSTER,
        script=_false_seal,
        expected=Expected(
            outcomes=(Outcome.REFUSED, Outcome.ACCEPTED),
            actions=("reject", "quarantine"),
            codes=("auth.arc.fail", "auth.dmarc.fail"),
        ),
        why="The seal does not fit the mail, so nothing that it says counts.",
    ),
    Scenario(
        name="arc-unknown-sealer",
        title="a seal by somebody we do not know",
        good=False,
        source=cast.FREEMAIL,
        script=_stranger_seals,
        expected=Expected(
            outcomes=(Outcome.REFUSED, Outcome.ACCEPTED),
            actions=("reject", "quarantine"),
            codes=("auth.arc.pass", "auth.dmarc.fail"),
        ),
        why="The seal fits, but anybody can seal; only the word of a trusted sealer counts.",
    ),
    Scenario(
        name="forged-verdict",
        title="a mail that brings its own good verdict",
        good=False,
        source=cast.SHOP,
        script=_forged_verdict,
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), delivered=_nothing_forged_left),
        why="Fields in our name are taken out before ours are written.",
    ),
    Scenario(
        name="dns-silent",
        title="the sender's domain does not answer in DNS",
        good=False,
        source=cast.SLOW,
        script=_dns_silent,
        expected=Expected(outcomes=(Outcome.DEFERRED,), reply_codes=("4",), actions=("defer",)),
        why="Nobody knows whether it is honest; the sender is asked to try again later.",
    ),
    Scenario(
        name="sender-takes-no-mail",
        title="a sender whose domain says that it never sends mail",
        good=False,
        source=cast.HOSTER,
        script=_null_mx,
        expected=Expected(outcomes=REFUSED, reply_codes=("55",)),
        why="A null MX (RFC 7505): the domain neither sends nor takes mail.",
    ),
    Scenario(
        name="from-the-future",
        title="a Date more than a year ahead",
        good=False,
        source=cast.SHOP,
        script=_from_the_future,
        expected=Expected(outcomes=ACCEPTED, actions=("accept", "tag"), codes=("date.in-future",)),
        why="It keeps a mail on top of the list; wrong clocks do it too, so it weighs little.",
    ),
    Scenario(
        name="ehlo-ours",
        title="a client that calls itself by our own name",
        good=False,
        source=cast.HOSTER,
        script=_calls_itself_us,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine", "reject"),
            codes=("path.ehlo-is-ours",),
        ),
        why="Nobody else has our name; it is a lie to pass for one of us.",
    ),
    Scenario(
        name="no-from",
        title="no From field at all",
        good=False,
        source=cast.HOSTER,
        script=_no_from,
        expected=Expected(
            outcomes=(Outcome.ACCEPTED, Outcome.REFUSED),
            actions=("accept", "tag", "quarantine", "reject"),
            codes=("header.no-from",),
        ),
        why="Every mail must say who wrote it (RFC 5322 §3.6).",
    ),
    Scenario(
        name="loop",
        title="a mail that has been through 110 servers",
        good=False,
        source=cast.NOSPF,
        script=_looped,
        expected=Expected(outcomes=REFUSED, reply_codes=("554",)),
        why="So many Received fields are a loop (RFC 5321 §6.3).",
    ),
)
