"""Started as root: root is dropped for good, files are private, a reload still reads what only root may. Needs root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.net.authority import make_authority, write_private
from running import NameServer, RunningGate, free_port, mail, until
from stranger import Stranger

NOBODY = pwd.getpwnam("nobody")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop root")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="gatepost-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def write_certificate(folder: Path, name: str) -> None:
    leaf = make_authority("test", now=time.time()).issue([name], now=time.time())
    for file, octets in (("cert.pem", leaf.chain), ("key.pem", leaf.key)):
        (folder / file).unlink(missing_ok=True)
        write_private(folder / file, octets)


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.partition(":")[0]: line.partition(":")[2].split() for line in lines}


def start_as_nobody(folder: Path, dns: int, more: str = "") -> RunningGate:
    gate = RunningGate.__new__(RunningGate)
    gate.folder, gate.port, gate.monitor, gate.config = folder, free_port(), free_port(), folder / "gatepost.toml"
    gate._dns = dns
    gate.configure(more=more)
    gate.config.write_text(gate.config.read_text().replace("[server]\n", '[server]\nuser = "nobody"\n'))
    gate.config.chmod(0o600)
    gate.start()
    return gate


@needs_root
def test_root_is_dropped_and_what_is_kept_is_private(open_folder: Path, name_server: NameServer) -> None:
    write_certificate(open_folder, "mx.gate.example")
    gate = start_as_nobody(open_folder, name_server.port, '[tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n')
    try:
        assert gate.send(mail("private") + b"x" * 400_000)[0] == 250  # large: it lies in a file of its own
        assert gate.send(mail("private"))[0] == 250
        gate.delivered("ann", 2)
        assert len(gate.children()) == 4
        for pid in gate.children():
            found = status(pid)
            assert found["Uid"] == [str(NOBODY.pw_uid)] * 4
            assert found["Gid"] == [str(NOBODY.pw_gid)] * 4
            assert set(found["Groups"]) <= {str(NOBODY.pw_gid)}
            assert int(found["CapEff"][0], 16) == int(found["CapPrm"][0], 16) == 0
        for path in [gate.folder / "store", *(gate.folder / "store").rglob("*")]:
            mode = path.stat()
            assert stat.S_IMODE(mode.st_mode) == (0o700 if path.is_dir() else 0o600), path
            assert mode.st_uid == NOBODY.pw_uid, path
        # Another user of the machine reads nothing.
        look = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "ls", str(gate.folder / "store")]
        assert subprocess.run(look, capture_output=True, check=False).returncode != 0
        # A reload reads the new key, which is root's alone.
        write_certificate(open_folder, "mx.gate.example")
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: " reloaded " in gate.log, "the reload")
        with gate.client() as client:
            assert client.starttls()[0] == 220
        assert gate.send(mail("after"))[0] == 250
        assert "process-failed" not in gate.log
    finally:
        gate.stop()


@needs_root
def test_the_command_line_beside_it_leaves_files_that_the_gate_can_still_write(
    open_folder: Path, name_server: NameServer
) -> None:
    gate = start_as_nobody(open_folder, name_server.port)
    try:
        gate.send(mail("before"))
        gate.delivered("ann")
        for command in (["queue", "list"], ["quarantine", "list"], ["log", "--json"], ["backup", "out.tar"]):
            gate.cli(*command)
        gate.stop()
        for command in (["queue", "list"], ["quarantine", "list"], ["log", "--json"]):  # nobody has the databases open
            gate.cli(*command)
        for path in (gate.folder / "store").rglob("*"):
            assert path.stat().st_uid == NOBODY.pw_uid, path
        gate.start()
        assert gate.send(mail("after"))[0] == 250
        gate.delivered("ann", 2)
        assert "process-failed" not in gate.log
    finally:
        gate.stop()
        Path("out.tar").unlink(missing_ok=True)


@needs_root
def test_a_store_that_the_user_cannot_reach_or_write_is_told_before_anything_starts(
    open_folder: Path, name_server: NameServer
) -> None:
    gate = start_as_nobody(open_folder, name_server.port)
    gate.stop()
    store = open_folder / "store"
    for spoil, mend, words in (
        (lambda: open_folder.chmod(0o700), lambda: open_folder.chmod(0o755), "nobody cannot enter"),
        (lambda: os.chown(store / "spool", 0, 0), lambda: os.chown(store / "spool", NOBODY.pw_uid, -1), "chown -R"),
    ):
        spoil()
        for more in ((), ("--check",)):
            code, text = gate.cli("serve", *more)
            assert code == 2
            assert words in text
        mend()
    gate.start()
    gate.stop()


LAUNCHER = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
os.dup2(sock.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=sys.argv[1])
os.execv(sys.executable, [sys.executable, "-m", "gatepost", "serve", "--config", sys.argv[2]])
"""


def test_sockets_from_systemd_and_its_notices(tmp_path: Path, name_server: NameServer) -> None:
    """The launcher does what systemd does for a socket unit."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(tmp_path / "notify"))
    channel.settimeout(20)
    config = tmp_path / "gatepost.toml"
    config.write_text(
        'hostname = "mx.gate.example"\n[domains."gate.example"]\naccounts = ["ann"]\n[server]\nlisten = []\n'
        'monitor = ""\nworkers = 2\n[store]\nfolder = "store"\n'
        f'[dns]\nservers = ["127.0.0.1:{name_server.port}"]\n'
    )
    command = [sys.executable, "-c", LAUNCHER, str(tmp_path / "notify"), str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert channel.recv(1000).startswith(b"READY=1")
        with Stranger(port) as stranger:
            stranger.hello().envelope().ask(b"DATA")
            assert stranger.ask(mail("activated") + b".").startswith(b"250")
        process.send_signal(signal.SIGHUP)
        assert channel.recv(1000).startswith(b"RELOADING=1")
        assert channel.recv(1000).startswith(b"READY=1")
        with Stranger(port) as stranger:
            stranger.hello()
        process.terminate()
        assert channel.recv(1000).startswith(b"STOPPING=1")
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        channel.close()
