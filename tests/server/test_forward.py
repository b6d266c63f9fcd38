"""Mail that an alias sends on: who it says it is from, what it carries, what comes back, and that circles end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forwarding import DNS, KEY, NAMES, RECEIVER, ForwardingGate
from gatepost.arc import verify_sync as verify_arc
from gatepost.dkim import sign_message
from gatepost.dkim import verify_sync as verify_dkim
from gatepost.errors import ConfigError
from gatepost.message.header import parse_header
from gatepost.msgauth.srs import DAY, Srs
from gatepost.net.zone import ZoneResolver
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.forward.check import describe_forward
from gatepost.server.forward.settings import ForwardSettings
from gatepost.server.plan import check_settings
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.spf import check_host_sync
from gatepost.store.settings import StoreSettings
from keys import key_record
from next_hop import NextHop
from running import NameServer, free_port, mail, until
from txt_zone import TxtZone

JOE = "joe@sender.example"
ALIASES = """
catch_all = "@far.example"
[domains."fwd.example".aliases]
out = ["lee", "x@far.example", "y@far.example"]
kim = ["kim", "z@far.example"]
list = ["lee", "m@far.example"]
owner-list = ["boss"]
boss = ["lee"]
"""


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """DNS that knows the domains that forward, and their keys."""
    server = NameServer(DNS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def far() -> Iterator[NextHop]:
    """The smart host, and everybody behind it."""
    hop = NextHop()
    yield hop
    hop.stop()


@pytest.fixture(scope="module")
def forwarder(tmp_path_factory: pytest.TempPathFactory, names: NameServer, far: NextHop) -> Iterator[ForwardingGate]:
    folder = tmp_path_factory.mktemp("forwarder")
    gate = ForwardingGate(folder, names.port, "fwd.example", aliases=ALIASES, relay=f"smtp:127.0.0.1:{far.port}")
    yield gate
    gate.stop()


def signed(raw: bytes) -> bytes:
    """As the sender's own server does."""
    return sign_message(raw, domain="sender.example", selector="gp", key=KEY, now=time.time())


def arrived(far: NextHop, recipient: str, subject: str) -> tuple[str, list[str], bytes]:
    """What the smart host took for `recipient`, once it has."""

    def found() -> list[tuple[str, list[str], bytes]]:
        return [one for one in far.taken if recipient in one[1] and f"Subject: {subject}\r\n".encode() in one[2]]

    until(lambda: bool(found()), f"{subject} for {recipient}")
    return found()[0]


def answer(gate: ForwardingGate, sender: str, recipient: str) -> tuple[int, str]:
    with gate.client() as client:
        client.ehlo()
        client.mail(sender)
        code, text = client.rcpt(recipient)
        return code, text.decode()


def reports(far: NextHop, recipient: str) -> list[bytes]:
    return [raw for sender, to, raw in far.taken if not sender and recipient in to]


def test_a_forward_leaves_under_our_name_and_a_local_copy_under_the_senders(
    forwarder: ForwardingGate, far: NextHop
) -> None:
    raw = signed(mail("both"))
    assert forwarder.send(raw, "out@fwd.example")[0] == 250
    sender, to, sent = arrived(far, "x@far.example", "both")
    assert to == ["x@far.example", "y@far.example"]
    assert sender.startswith("SRS0=")
    assert sender.endswith("=sender.example=joe@fwd.example")
    header = parse_header(sent)
    assert header.text("delivered-to") == "out@fwd.example"
    assert not header.all("gatepost-verdict")
    assert [field.key for field in header.fields[:3]] == [
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
    ]
    assert "spf=pass" in header.text("arc-authentication-results")
    # What the receiver finds: the envelope is ours, the author's signature is whole, our seal fits.
    zone = ZoneResolver(RECEIVER.format(domain="fwd.example"))
    asked = {"ip": "127.0.0.1", "ehlo": "mx.fwd.example", "resolver": zone}
    assert check_host_sync(mail_from=sender, **asked).result == "pass"
    assert check_host_sync(mail_from=JOE, **asked).result == "fail"
    keys = TxtZone(dict.fromkeys(NAMES, key_record(KEY)))
    assert verify_dkim(sent, resolver=keys, now=time.time()).result == "pass"
    chain = verify_arc(sent, resolver=keys, now=time.time())
    assert (chain.result, chain.instance, chain.sealer) == ("pass", 1, "fwd.example")
    local = forwarder.delivered("lee")[0].read_bytes()
    assert local.startswith(b"Return-Path: <joe@sender.example>\r\nDelivered-To: lee@fwd.example\r\n")
    assert b"ARC-Seal" not in local
    assert f'as="<{sender}>"' in forwarder.log
    assert "via=<out@fwd.example>" in forwarder.log


def test_what_comes_back_goes_home_and_forgeries_are_refused(forwarder: ForwardingGate, far: NextHop) -> None:
    assert forwarder.send(mail("there"), "nobody@fwd.example")[0] == 250  # the whole domain is elsewhere
    sender = arrived(far, "nobody@far.example", "there")[0]
    assert forwarder.send(mail("back", author="mailer@far.example"), sender, sender="")[0] == 250
    assert arrived(far, JOE, "back")[0] == ""
    assert forwarder.send(mail("small", author="mailer@far.example"), sender.lower(), sender="")[0] == 250
    arrived(far, JOE, "small")
    code, text = answer(forwarder, JOE, sender)
    assert (code, text.split()[0]) == (550, "5.7.1")
    stamp = sender.split("=")
    secret = (forwarder.folder / "store" / "srs.secret").read_bytes().strip()
    old = Srs((secret,)).rewrite(JOE, "fwd.example", time.time() - 30 * DAY)
    for forged in (
        sender.replace("joe@", "victim@"),
        sender.replace(stamp[1], "AAAA"),
        "SRS1=AAAA=far.example==AAAA=AA=victim.example=joe@fwd.example",
        "SRS0=AAAA@fwd.example",
        old,
    ):
        assert answer(forwarder, "", forged)[1].startswith("5.1.1 "), forged
    assert (forwarder.folder / "store" / "srs.secret").stat().st_mode & 0o777 == 0o600
    assert secret.decode() not in forwarder.log


def test_other_senders_stay_as_they_are(forwarder: ForwardingGate, far: NextHop) -> None:
    assert forwarder.send(mail("null"), "kim@fwd.example", sender="")[0] == 250
    assert arrived(far, "z@far.example", "null")[0] == ""
    first = Srs((b"another forwarder",)).rewrite(JOE, "sender.example", time.time())
    assert forwarder.send(mail("twice"), "kim@fwd.example", sender=first)[0] == 250
    assert arrived(far, "z@far.example", "twice")[0].startswith("SRS1=")


def test_a_failed_forward_is_told_to_the_sender(forwarder: ForwardingGate, far: NextHop) -> None:
    far.refuses["z@far.example"] = "550 5.1.1 no such user"
    try:
        assert forwarder.send(mail("failed"), "kim@fwd.example")[0] == 250
        until(lambda: bool(reports(far, JOE)) and b"z@far.example" in reports(far, JOE)[-1], "a report")
    finally:
        far.refuses.clear()
    report = reports(far, JOE)[-1]
    assert b"Original-Recipient: rfc822;kim@fwd.example" in report
    assert b"Final-Recipient: rfc822; z@far.example" in report
    assert len([1 for raw in reports(far, JOE) if b"failed@x.example" in raw]) == 1


def test_what_comes_back_from_a_list_goes_to_its_owner(forwarder: ForwardingGate, far: NextHop) -> None:
    far.refuses["m@far.example"] = "550 5.1.1 no such user"
    before = len(reports(far, JOE))
    try:
        with forwarder.client() as client:
            client.ehlo()
            client.mail(JOE, ["ENVID=secret-of-joe"])
            client.rcpt("list@fwd.example", ["NOTIFY=SUCCESS,FAILURE"])
            assert client.data(mail("circular"))[0] == 250
        copies = _bodies(forwarder, 2, b"circular@x.example")
    finally:
        far.refuses.clear()
    circular = next(
        raw for raw in copies if b"\r\nSubject: circular\r\n" in raw and not raw.startswith(b"Return-Path: <>")
    )
    assert circular.startswith(b"Return-Path: <owner-list@fwd.example>\r\n")
    report = next(raw for raw in copies if raw.startswith(b"Return-Path: <>"))
    assert b"Final-Recipient: rfc822; m@far.example" in report
    assert b"secret-of-joe" not in report
    assert len(reports(far, JOE)) == before


def _bodies(gate: ForwardingGate, count: int, holding: bytes) -> list[bytes]:
    def found() -> list[bytes]:
        return [raw for raw in (path.read_bytes() for path in gate.mailbox("lee")) if holding in raw]

    until(lambda: len(found()) >= count, f"{count} mails with {holding!r}")
    return found()


def test_a_circle_of_two_gates_ends_and_the_sender_hears_of_it(tmp_path: Path, names: NameServer, far: NextHop) -> None:
    ports = free_port(), free_port()
    gates = []
    try:
        for number, (here, there) in enumerate((("one.example", "two.example"), ("two.example", "one.example"))):
            folder = tmp_path / here
            folder.mkdir()
            more = f'[delivery.destinations."{there}"]\nroute = "smtp:127.0.0.1:{ports[1 - number]}"\n'
            gates.append(
                ForwardingGate(
                    folder, names.port, here, port=ports[number], relay=f"smtp:127.0.0.1:{far.port}",
                    aliases=f'aliases = {{ round = ["round@{there}"] }}', more=more,
                )
            )  # fmt: skip
        assert gates[0].send(signed(mail("round")), "round@one.example")[0] == 250
        until(lambda: any(b"Subject: round\r\n" in raw for raw in reports(far, JOE)), "a report of the circle")
        report = next(raw for raw in reports(far, JOE) if b"Subject: round\r\n" in raw)
        assert b"5.4.6" in report
        refused = [line for line in gates[0].log.splitlines() if "reason=loop" in line]
        assert len(refused) == 1
        assert "dkim=pass dmarc=pass arc=pass" in gates[1].log
        assert gates[0].log.count("sender=<joe@sender.example>") == 1
        for gate in gates:
            assert gate.cli_json("queue", "list") == []
    finally:
        for gate in gates:
            gate.stop()


def test_spam_is_not_sent_on_unless_somebody_says_so(tmp_path: Path, names: NameServer, far: NextHop) -> None:
    more = "[inspector]\ntag_at = -1000.0\n"
    relay = f"smtp:127.0.0.1:{far.port}"
    gate = ForwardingGate(tmp_path, names.port, "fwd.example", aliases=ALIASES, relay=relay, more=more)
    try:
        held = gate.send(mail("junk"), "kim@fwd.example")[1].rpartition(" ")[2]
        gate.delivered("kim", folder=".Junk")
        assert not [one for one in far.taken if b"Subject: junk\r\n" in one[2]]
        listed = {one["address"]: one["via"] for one in gate.cli_json("quarantine", "list")[0]["recipients"]}
        assert listed["z@far.example"] == "kim@fwd.example"
        assert gate.cli_json("quarantine", "release", held) == [{"changed": {held: 1}}]
        assert arrived(far, "z@far.example", "junk")[0].startswith("SRS0=")
    finally:
        gate.stop()


def test_the_check_before_the_start_names_what_leaves_and_how(tmp_path: Path) -> None:
    settings = GateSettings(
        domains={"fwd.example": DomainSettings(accounts=("kim",), aliases={"kim": ("kim", "z@far.example")})},
        delivery=DeliverySettings(relay="mx"),
        store=StoreSettings(folder=str(tmp_path)),
    )
    words = describe_forward(settings, check_settings(settings))
    assert words.startswith("mail leaves for z@far.example; senders become addresses in the forwarding domain")
    assert "fwd.example without, for want of a key" in words
    bare = replace(settings, forward=ForwardSettings(srs=False, arc=False))
    assert describe_forward(bare, check_settings(bare)).startswith("NOT REWRITTEN")
    for broken, says in (
        (replace(settings, delivery=DeliverySettings(relay="none")), "z@far.example.*delivery.relay"),
        (replace(settings, forward=ForwardSettings(srs_domain="two words")), "srs_domain"),
    ):
        with pytest.raises(ConfigError, match=says):
            check_settings(broken)
