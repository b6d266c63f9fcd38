"""server.forward: the name and the octets with which forwarded mail leaves; the secret's file."""

from __future__ import annotations

import stat
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gatepost.arc import seal_message, verify_sync
from gatepost.errors import ConfigError
from gatepost.message.header import parse_header
from gatepost.msgauth.srs import Srs
from gatepost.names import Envelope, Recipient, Session
from gatepost.server.delivery.job import AS_IT_CAME, Job, ReturnPath, split_jobs
from gatepost.server.forward.forwarding import Forwarding
from gatepost.server.forward.secrets import open_srs, read_secrets
from gatepost.server.forward.settings import ForwardSettings
from gatepost.server.recipients import Recipients
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.signing.keyring import KeyRing, SigningKey
from gatepost.store.settings import StoreSettings
from gatepost.store.spool.spooled import Spooled, SpooledRecipient, State
from keys import key_record
from txt_zone import TxtZone

NOW = 1_790_000_000.0
KEY = generate_private_key(65537, 2048)
RING = KeyRing(MappingProxyType({"ours.example": (SigningKey("ours.example", "gp", KEY),)}))
ZONE = TxtZone(dict.fromkeys(("gp._domainkey.ours.example", "s._domainkey.list.example"), key_record(KEY)))
BOOK = Recipients(
    {
        "ours.example": DomainSettings(
            accounts=("ann",),
            aliases={"out": ("ann", "x@far.example"), "club": ("ann", "x@far.example"), "owner-club": ("ann",)},
        )
    },
    "",
)
LETTER = b"From: joe@sender.example\r\nSubject: hello\r\n\r\nHello.\r\n"


def forwarding(*, srs: Srs | None = Srs((b"a secret of ours",)), **settings: Any) -> Forwarding:  # noqa: B008 - frozen
    return Forwarding(
        ForwardSettings(**settings),
        hostname="mx.ours.example",
        recipients=BOOK,
        srs=srs,
        ring=lambda: RING,
        clock=lambda: NOW,
    )


def spooled(*to: tuple[str, str], sender: str = "joe@sender.example", account: str = "") -> Spooled:
    recipients = tuple(
        Recipient(address=address, via=via, notify=("SUCCESS",), orcpt="rfc822;o") for address, via in to
    )
    copies = tuple(
        SpooledRecipient(
            position=n, recipient=one, state=State.QUEUED, junk=False, attempts=0, next_try=0, last_try=0, last_reply=""
        )
        for n, one in enumerate(recipients)
    )
    return Spooled(
        id="1",
        envelope=Envelope(mail_from=sender, recipients=recipients, envid="x", ret="FULL"),
        session=Session(client_ip="192.0.2.1", account=account),
        received_at=NOW,
        size=1,
        proven=False,
        reason="",
        recipients=copies,
    )


def path(via: str, *, sender: str = "joe@sender.example", to: str = "x@far.example", **settings: Any) -> ReturnPath:
    message = spooled((to, via), sender=sender)
    return forwarding(**settings).path(message, message.recipients[0])


def test_only_a_strangers_mail_that_leaves_is_rewritten() -> None:
    out = "out@ours.example"
    assert path("", to="ann@ours.example") == AS_IT_CAME
    assert path(out, to="ann@ours.example") == AS_IT_CAME
    assert path(out, sender="") == ReturnPath(forwarded_by=out)
    assert path(out, sender="bob@ours.example") == ReturnPath(forwarded_by=out)
    assert path(out, sender="SRS0=x@srs.example", srs_domain="srs.example") == ReturnPath(forwarded_by=out)
    assert path(out, sender="postmaster") == ReturnPath(forwarded_by=out)
    assert path(out, srs=None) == ReturnPath(forwarded_by=out)
    assert str(path(out).mail_from).endswith("=sender.example=joe@ours.example")
    assert str(path(out, srs_domain="srs.example").mail_from).endswith("=sender.example=joe@srs.example")


def test_a_list_is_its_owners() -> None:
    club = "club@ours.example"
    assert path(club, sender="") == ReturnPath(forwarded_by=club)
    message = spooled(("ann@ours.example", club), ("x@far.example", club), ("y@far.example", "out@ours.example"))
    ways = dict.fromkeys(r.address for r in message.recipients)
    jobs = split_jobs(message, message.recipients, ways, forwarding().path)
    assert [job.path.forwarded_by for job in jobs] == ["", club, "out@ours.example"]
    assert [job.spooled.envelope.mail_from for job in jobs] == ["owner-club@ours.example"] * 2 + ["joe@sender.example"]
    for job in jobs[:2]:  # RFC 3461 §5.2.7.3
        assert job.spooled.proven
        assert (job.envelope.mail_from, job.envelope.envid, job.envelope.ret) == ("owner-club@ours.example", None, None)
        assert job.recipients[0].recipient.notify == ()
    assert jobs[2].envelope.mail_from.startswith("SRS0=")
    assert (jobs[2].envelope.envid, jobs[2].recipients[0].recipient.notify) == ("x", ("SUCCESS",))


def dressed(raw: bytes, account: str = "", **settings: Any) -> bytes:
    message = spooled(("x@far.example", "out@ours.example"), account=account)
    job = Job(message, message.recipients, None, ReturnPath(forwarded_by="out@ours.example"))
    return forwarding(**settings).dress(job, raw)


def results(arc: str) -> bytes:
    more = f"; arc={arc}" if arc else ""
    return f"Authentication-Results: mx.ours.example; spf=pass{more}\r\n".encode()


def test_the_seal_says_what_was_found_on_arrival() -> None:
    plain = dressed(results("") + LETTER)
    assert plain.endswith(LETTER)
    found = verify_sync(plain, resolver=ZONE, now=NOW)
    assert (found.result, found.instance, found.sets[0].cv) == ("pass", 1, "none")
    assert found.sets[0].results.split() == b"mx.ours.example; spf=pass".split()
    before = seal_message(
        LETTER, chain=verify_sync(LETTER, resolver=ZONE, now=NOW), results=b"list.example; spf=pass",
        domain="list.example", selector="s", key=KEY, now=NOW,
    )  # fmt: skip
    found = verify_sync(dressed(results("pass") + before), resolver=ZONE, now=NOW)
    assert (found.result, found.instance, found.sets[1].cv) == ("pass", 2, "pass")
    broken = before.replace(b"Hello.", b"Bye.")
    found = verify_sync(dressed(results("fail") + broken), resolver=ZONE, now=NOW)
    assert (found.result, found.instance) == ("fail", 2)


@pytest.mark.parametrize(
    "raw",
    [
        LETTER,  # nothing of ours
        b"Authentication-Results: other.example; spf=pass\r\n" + LETTER,
        results("temperror") + LETTER,  # nobody knows
        results("") + b"ARC-Seal: i=1; cv=none\r\n" + LETTER,  # a chain that nobody looked at
    ],
)
def test_what_we_did_not_find_out_is_not_sealed(raw: bytes) -> None:
    sent = dressed(raw)
    assert sent == b"Delivered-To: out@ours.example\r\n" + raw
    assert not parse_header(sent).all("arc-message-signature")


def test_no_seal_where_none_is_wanted_or_a_person_of_ours_wrote() -> None:
    assert b"ARC-Seal" not in dressed(results("") + LETTER, arc=False)
    assert b"ARC-Seal" not in dressed(results("") + LETTER, account="ann@ours.example")


def test_our_verdict_stays_here() -> None:
    verdict = b"Gatepost-Verdict: accept; score=0.5;\r\n\tby=auth.spf.pass\r\n"
    assert b"Gatepost-Verdict" not in dressed(results("") + verdict + LETTER)


def settings_in(folder: Path, **forward: Any) -> GateSettings:
    return GateSettings(store=StoreSettings(folder=str(folder)), forward=ForwardSettings(**forward))


def test_the_secret_is_made_when_it_is_needed_and_kept(tmp_path: Path) -> None:
    assert open_srs(settings_in(tmp_path), needed=False) is None
    assert open_srs(settings_in(tmp_path, srs=False), needed=True) is None
    made = open_srs(settings_in(tmp_path), needed=True)
    assert made is not None
    assert stat.S_IMODE((tmp_path / "srs.secret").stat().st_mode) == 0o600
    assert open_srs(settings_in(tmp_path), needed=False) == made  # bounces of mail that was forwarded once


@pytest.mark.parametrize(
    ("octets", "mode", "says"),
    [(b"", 0o600, "no secrets"), (b"short\n", 0o600, "8 characters"), (b"long enough\n", 0o640, "chmod 600")],
)
def test_a_secret_that_is_none(tmp_path: Path, octets: bytes, mode: int, says: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(octets)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=says):
        open_srs(settings_in(tmp_path, secret_file=str(path)), needed=True)
    with pytest.raises(ConfigError, match="not there"):
        open_srs(settings_in(tmp_path, secret_file=str(tmp_path / "none")), needed=True)


def test_several_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"the new one\r\n\nthe old one\n")
    path.chmod(0o600)
    assert read_secrets(path) == (b"the new one", b"the old one")
