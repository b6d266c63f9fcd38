"""One mail at a time through the whole product. The words below each test are the title of a page in docs/journeys/."""

from __future__ import annotations

import signal
import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.cli.main import main
from gatepost.net.authority import make_authority
from next_hop import NextHop
from running import NameServer, RunningGate, mail, until
from schemas import ask

StartGate = Callable[..., RunningGate]
AUTHENTIC, STRANGER = "joe@sender.example", "x@silent.example"
SHOP = "offer@shop.example"  # not proven, and the shop asks for quarantine then


def certificate(folder: Path) -> str:
    """A certificate for the gate; its settings."""
    authority = make_authority("journeys", now=time.time())
    leaf = authority.issue(["mx.gate.example", "127.0.0.1"], now=time.time())
    authority.save(folder)
    (folder / "mx.pem").write_bytes(leaf.chain)
    (folder / "mx.key").write_bytes(leaf.key)
    (folder / "mx.key").chmod(0o600)
    return f'[tls]\ncertificate = "{folder / "mx.pem"}"\nkey = "{folder / "mx.key"}"\n'


class FreshGate(RunningGate):
    """What `gatepost init` makes, moved to loopback ports and the tests' name server."""

    def configure(self, *, domain: str = "", more: str = "") -> None:
        text = self.config.read_text()
        listen, servers = f'listen = ["127.0.0.1:{self.port}"]\nmonitor = ""', f'servers = ["127.0.0.1:{self._dns}"]'
        text = text.replace('listen = ["0.0.0.0:25", "[::]:25"]', listen).replace('servers = ["system"]', servers)
        self.config.write_text(text)


def test_from_nothing(tmp_path: Path, name_server: NameServer) -> None:
    """From nothing to a gate that takes mail"""
    assert main(["init", "gate.example", "--folder", str(tmp_path), "--store", "store", "--account", "ann"]) == 0
    gate = FreshGate(tmp_path, name_server.port)
    try:
        code, text = gate.cli("serve", "--check")
        assert code == 0, text
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        context.check_hostname = False  # it is reached by its address
        with gate.client() as client:
            client.starttls(context=context)
            client.sendmail(AUTHENTIC, ["ann@gate.example", "abuse@gate.example"], mail("first"))
        assert b"with ESMTPS" in gate.delivered("ann")[0].read_bytes()
    finally:
        gate.stop()


def test_to_the_mailbox(start_gate: StartGate, tmp_path: Path) -> None:
    """A mail from the client's EHLO to the mailbox"""
    gate = start_gate(more=certificate(tmp_path), monitor=True)
    with gate.client() as client:
        client.ehlo()
        assert client.has_extn("STARTTLS")
        client.starttls(context=ssl.create_default_context(cafile=tmp_path / "ca.pem"))
        client.ehlo()
        assert client.mail(AUTHENTIC)[0] == 250
        assert client.rcpt("ann+travel@gate.example")[0] == 250
        code, text = client.data(mail("hello", body=".\n..\nHello."))
    message_id = text.decode().rpartition(" ")[2]
    assert (code, text.decode()) == (250, f"2.0.0 OK: queued as {message_id}")

    octets = gate.delivered("ann")[0].read_bytes()
    header, _, body = octets.partition(b"\r\n\r\n")
    assert body == b".\r\n..\r\nHello.\r\n"
    names = [line.partition(b":")[0].decode() for line in header.split(b"\r\n") if line[:1] not in b"\t "]
    assert names[:5] == ["Return-Path", "Delivered-To", "Received", "Authentication-Results", "Gatepost-Verdict"]
    assert f"with ESMTPS id {message_id}".encode() in header.replace(b"\r\n\t", b" ")

    (entry,) = ask(gate, "log", "log", message_id)
    assert (entry["action"], entry["message_id"]) == ("accept", "<hello@x.example>")
    assert [one["status"] for one in entry["deliveries"]] == ["sent"]
    assert ask(gate, "spooled", "queue", "list") == []
    until(lambda: " connection " in gate.log, "the connection's line")
    with urllib.request.urlopen(f"http://127.0.0.1:{gate.monitor}/metrics", timeout=10) as answer:
        metrics = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[:1] != "#")
    assert metrics["gatepost_messages_accepted_total"] == "1.0"
    assert float(metrics["gatepost_certificate_ends_seconds"]) > time.time() + 86400
    events = {line.split()[2] for line in gate.log.splitlines()}
    assert {"started", "message", "delivery", "connection"} <= events


def test_spoofed(gate: RunningGate) -> None:
    """A spoofed mail is refused, and found again in the log"""
    code, text = gate.send(mail("transfer", author="Chief <chief@bank.example>"))
    assert (code, text.split()[0]) == (550, "5.7.26")
    assert "bank.example" not in text  # little to the peer …
    (entry,) = ask(gate, "log", "log", "--to", "ann@", "--action", "reject", "--since", "1h")
    assert text.endswith(f"({entry['id']})")  # … but the id by which he can ask
    assert entry["decided_by"] == ["auth.dmarc.fail"]
    shown = gate.cli("log", entry["id"])[1]
    assert "bank.example, but that is not proven" in shown  # everything to the log
    assert "action=reject" in gate.log
    assert not gate.mailbox("ann")


def test_quarantine(gate: RunningGate) -> None:
    """A message is held, shown, released and learnt"""
    before = len(gate.mailbox("ann"))
    body = "Hello \u202eevil\u202c, see https://shop.example.net/offer and \x1b[2J this."
    code, text = gate.send(mail("offer", author=SHOP, body=body), "ann@gate.example", "bob@gate.example")
    assert code == 250
    message_id = text.rpartition(" ")[2]
    (held,) = ask(gate, "spooled", "quarantine", "list", "--to", "ann", "--since", "1h", "--code", "auth.dmarc")
    assert held["id"] == message_id
    assert held["reason"]["decided_by"] == ["auth.dmarc.fail"]
    assert gate.cli("quarantine", "list", "--code", "malware")[1] == "The quarantine is empty.\n"

    shown = gate.cli("quarantine", "show", message_id)[1]
    for part in (
        "auth.dmarc.fail: The message says it is from",
        "https://shop.example.net/offer",
        "‹U+202E›evil",
        "␛[2J",
    ):
        assert part in shown
    assert not any(c in shown for c in "\x1b\u202e")
    (seen,) = ask(gate, "held", "quarantine", "show", message_id)
    assert {name: seen[name] for name in held} == held
    assert [link["target"] for link in seen["links"]] == ["https://shop.example.net/offer"]
    assert "auth.dmarc.fail" in {finding["code"] for finding in seen["findings"]}
    assert gate.cli("log", message_id)[1].count("QUARANTINE") == 1

    allowed = ask(gate, "allowed", "quarantine", "allow-sender", message_id)
    assert allowed == [{"id": message_id, "value": SHOP, "before": "", "proven": False}]
    release = ("quarantine", "release", message_id, "--to", "ann@gate.example")
    assert ask(gate, "changed", *release) == [{"changed": {message_id: 1}}]
    assert body.encode() in gate.delivered("ann", before + 1)[-1].read_bytes()
    assert not gate.mailbox("bob")
    (known,) = ask(gate, "learnt-held", "quarantine", "learn", "ham", message_id)
    assert not known["news"]  # the release has taught it
    assert ask(gate, "learnt-held", "quarantine", "learn", "spam", message_id)[0]["news"]

    assert ask(gate, "changed", "quarantine", "delete", message_id) == [{"changed": {message_id: 1}}]
    assert ask(gate, "spooled", "quarantine", "list") == []
    assert gate.cli("quarantine", "release", message_id)[0] == 2
    (entry,) = ask(gate, "log", "log", message_id)
    done = {(one["rcpt_to"], one["status"]) for one in entry["deliveries"]}
    ann, bob = "ann@gate.example", "bob@gate.example"
    assert done == {(ann, "released"), (ann, "sent"), (ann, "learnt-spam"), (bob, "deleted")}


def test_policy_tried(start_gate: StartGate) -> None:
    """A policy is tried on stored findings"""
    gate = start_gate()
    held = gate.send(mail("offer", author=SHOP))[1].rpartition(" ")[2]
    gate.send(mail("other", author=SHOP))
    gate.send(mail("honest"))
    gate.delivered("ann")
    assert gate.cli("quarantine", "release", held)[0] == 0
    assert ask(gate, "policy", "policy", "show")[0]["options"]["dmarc"] == "reject"

    new = gate.folder / "new.toml"
    new.write_text('[inspector]\ndmarc = "report-only"\ntag_at = 1.0\ndate_past_days = 3.0\n')
    (trial,) = ask(gate, "policy-try", "policy", "try", str(new), "--last", "1h")
    assert (trial["messages"], trial["unchanged"]) == (3, 1)
    (change,) = trial["changes"]
    assert (change["was"], change["becomes"], change["messages"], change["false_alarms"]) == ("quarantine", "tag", 2, 1)
    assert held in {changed["id"] for changed in trial["changed"]}
    assert trial["false_alarms"] == {"messages": 1, "stopped": 1, "would_stop": 1, "would_refuse": 0}
    assert trial["cannot_tell"]["options"] == ["inspector.date_past_days (7.0 → 3.0)"]
    shown = gate.cli("policy", "try", str(new), "--last", "1h")[1]
    assert "3 messages" in shown
    assert "auth.dmarc.fail weighs" in shown
    assert len(ask(gate, "spooled", "quarantine", "list")) == 1  # nothing was changed


def test_next_hop_refuses(start_gate: StartGate, next_hop: NextHop) -> None:
    """The next hop refuses a mail: a report to a proven sender, no backscatter to others"""
    where = f"smtp:127.0.0.1:{next_hop.port}"
    next_hop.refuses["bob@gate.example"] = "550 5.2.1 mailbox is closed"
    gate = start_gate(domain=f'route = "{where}"', more=f'[delivery]\nrelay = "{where}"\n')

    assert gate.send(mail("proven"), "bob@gate.example", sender=AUTHENTIC)[0] == 250
    until(lambda: bool(next_hop.mail_for(AUTHENTIC)), "the report")
    (report,) = next_hop.mail_for(AUTHENTIC)
    assert b"Content-Type: multipart/report" in report
    assert b"Final-Recipient: rfc822; bob@gate.example" in report
    assert b"Status: 5.2.1" in report
    assert next(sender for sender, to, _ in next_hop.taken if AUTHENTIC in to) == ""  # never answered itself

    code, text = gate.send(mail("stranger", author=STRANGER), "bob@gate.example", sender=STRANGER)
    assert code == 250
    until(lambda: bool(next_hop.mail_for("ann@gate.example")), "postmaster is told")
    assert b"gatepost quarantine release" in next_hop.mail_for("ann@gate.example")[0]
    assert [one["id"] for one in ask(gate, "spooled", "quarantine", "list")] == [text.rpartition(" ")[2]]
    assert not next_hop.mail_for(STRANGER)


def test_next_hop_is_down(start_gate: StartGate, next_hop: NextHop) -> None:
    """The next hop is down: the mail waits, and arrives when it is back"""
    next_hop.stop()
    gate = start_gate(domain=f'route = "smtp:127.0.0.1:{next_hop.port}"')
    code, text = gate.send(mail("later"), "bob@gate.example")
    assert code == 250
    message_id = text.rpartition(" ")[2]
    until(lambda: "status=deferred" in gate.log, "the first try")
    (waiting,) = ask(gate, "spooled", "queue", "list")
    (recipient,) = waiting["recipients"]
    assert (waiting["id"], recipient["state"], recipient["attempts"]) == (message_id, "queued", 1)
    assert recipient["next_try"] > time.time()

    back = NextHop(next_hop.port)
    try:  # the hop's pause is not over: whoever asks by hand is not kept waiting by it
        assert ask(gate, "changed", "queue", "retry", message_id) == [{"changed": {message_id: 1}}]
        until(lambda: bool(back.mail_for("bob@gate.example")), "the mail arrives")
    finally:
        back.stop()
    assert ask(gate, "spooled", "queue", "list") == []
    statuses = [one["status"] for one in ask(gate, "log", "log", message_id)[0]["deliveries"]]
    assert statuses == ["deferred", "sent"]


def test_reload_with_a_mistake(start_gate: StartGate) -> None:
    """A reload with a mistake in it"""
    gate = start_gate()
    gate.configure(domain='catch_al = "bob"')
    code, text = gate.cli("serve", "--check")
    assert code == 2
    assert "domains.gate.example.catch_al: bob: unknown option; did you mean 'catch_all'?" in text

    gate.process.send_signal(signal.SIGHUP)
    until(lambda: "reload-refused" in gate.log, "the refusal")
    assert "did you mean 'catch_all'?" in gate.log
    with pytest.raises(AssertionError, match=r"5\.1\.1"):  # the old configuration stays, and mail is taken
        gate.send(mail(), "nobody@gate.example")
    assert gate.send(mail(), "ann@gate.example")[0] == 250

    gate.configure(domain='catch_all = "bob"')
    (answer,) = ask(gate, "serve-check", "serve", "--check")  # while it runs: its own port is no fault
    assert answer["good"]
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: " reloaded " in gate.log, "the reload")
    assert gate.send(mail(), "nobody@gate.example")[0] == 250
    assert gate.delivered("bob")


def test_backup(start_gate: StartGate, tmp_path: Path) -> None:
    """A backup while the gate runs, and the gate again from it"""
    gate = start_gate()
    held = gate.send(mail("offer", author="offer@shop.example"), "ann@gate.example")[1].rpartition(" ")[2]
    gate.send(mail("kept"), "ann@gate.example")
    gate.delivered("ann")
    archive = tmp_path / "gate.tar"
    (kept,) = ask(gate, "backup", "backup", str(archive))
    assert kept["files"] >= 3
    assert gate.cli("backup", str(archive))[0] == 2  # nothing is overwritten

    gate.stop()
    (gate.folder / "store").rename(gate.folder / "lost")
    (brought,) = ask(gate, "restore", "restore", str(archive))
    assert brought["files"] == kept["files"]
    gate.start()
    assert b"Subject: kept" in gate.delivered("ann")[0].read_bytes()
    assert [one["id"] for one in ask(gate, "spooled", "quarantine", "list")] == [held]
    assert ask(gate, "log", "log", held)[0]["action"] == "quarantine"
