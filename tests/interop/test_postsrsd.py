"""Debian's postsrsd with the same secret: it restores what we write, and we restore what it writes."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.msgauth.srs import Srs
from running import free_port, until

SECRET = b"taken over from Postfix"


class PostSrsd:
    """Its two TCP tables (tcp_table(5))."""

    def __init__(self, folder: Path, program: str) -> None:
        secret = folder / "secret"
        secret.write_bytes(SECRET + b"\n")
        self.ports = free_port(), free_port()
        options = [f"-s{secret}", "-dother.example", "-4", f"-f{self.ports[0]}", f"-r{self.ports[1]}", "-A"]
        self.process = subprocess.Popen([program, *options], stdin=subprocess.DEVNULL)
        until(self._answers, "postsrsd answers")

    def _answers(self) -> bool:
        try:
            self.rewrite("joe@sender.example")
        except OSError:
            return False
        return True

    def rewrite(self, address: str) -> str:
        return self._ask(self.ports[0], address)

    def restore(self, address: str) -> str:
        return self._ask(self.ports[1], address)

    def _ask(self, port: int, address: str) -> str:
        quoted = address.replace("%", "%25").replace(" ", "%20")
        with socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.sendall(f"get {quoted}\n".encode())
            return sock.makefile().readline().strip()


@pytest.fixture(scope="module")
def postsrsd(tmp_path_factory: pytest.TempPathFactory, postsrsd_program: str) -> Iterator[PostSrsd]:
    server = PostSrsd(tmp_path_factory.mktemp("postsrsd"), postsrsd_program)
    yield server
    server.process.terminate()
    server.process.wait(10)


@pytest.mark.parametrize("sender", ["joe@sender.example", "Joe.Doe+x@Sender.Example", "a=b=c@x.example"])
def test_the_same_secret_reads_both_ways(postsrsd: PostSrsd, sender: str) -> None:
    now, ours = time.time(), Srs((SECRET,))
    theirs = postsrsd.rewrite(sender).removeprefix("200 ")
    written = ours.rewrite(sender, "other.example", now)
    assert theirs == written
    assert postsrsd.restore(written) == f"200 {sender}"
    assert ours.restore(theirs, now) == sender


def test_what_another_forwarder_rewrote_is_guarded_alike(postsrsd: PostSrsd) -> None:
    now, ours = time.time(), Srs((SECRET,))
    first = Srs((b"first",)).rewrite("joe@sender.example", "first.example", now)
    theirs = postsrsd.rewrite(first).removeprefix("200 ")
    assert theirs == ours.rewrite(first, "other.example", now)
    assert ours.restore(theirs, now) == first
    assert postsrsd.restore(ours.rewrite(first, "other.example", now)) == f"200 {first}"
    second = Srs((b"second",)).rewrite(first, "second.example", now)
    assert postsrsd.rewrite(second).removeprefix("200 ") == ours.rewrite(second, "other.example", now)


def test_it_refuses_what_another_secret_wrote(postsrsd: PostSrsd) -> None:
    assert postsrsd.restore(Srs((b"another",)).rewrite("joe@sender.example", "other.example", time.time()))[:3] == "500"
