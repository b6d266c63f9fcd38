"""Any file given to any command: a report, or one clear line; never a traceback, a hang or a character that acts."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.cli.main import main

ESCAPES = (
    b"From: \x1b]0;x\x07 <a@b.example>\r\nSubject: \x1b[2J\xc2\x9b31m =?utf-8?q?=1b[2J?=\r\nX-\x1b[1m: y\r\n"
    b"Received: from \x1b[2J (x [192.0.2.1]) by \x07; Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n\x1b[2J"
)
FILES = {
    "random": random.Random(1).randbytes(100_000),
    "nothing": b"",
    "nul": b"\0" * 500_000,
    "line": b"x" * 2_000_000,
    "from": b"From ",
    "froms": b"From \n" * 20_000,
    "mbox without a start": b"\n\nhello\nFrom x\n\n",
    "mbox of nonsense": b"From x\n" + random.Random(2).randbytes(50_000) + b"\n\nFrom y\n" + bytes(1000),
    "carriage returns": b"\r" * 100_000,
    "outlook": b"\xd0\xcf\x11\xe0" + b"x" * 100,
    "escapes": ESCAPES,
}
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder; checks what must hold of every answer."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zone").write_text(". 300 IN SOA a. b. 1 1 1 1 1\n")

    def run_one(*command: str) -> tuple[int, str]:
        capfd.readouterr()
        code = main(list(command))
        out, err = capfd.readouterr()
        assert code in (0, 1, 2), (command, err)
        assert all(character.isprintable() or character == "\n" for character in out + err)
        if code == 2:
            assert err.startswith("gatepost: ")
            assert err.count("\n") == 1, err
        return code, out + err

    return run_one


@pytest.mark.parametrize("name", FILES)
def test_files(run: Run, tmp_path: Path, name: str) -> None:
    file = tmp_path / "message"
    file.write_bytes(FILES[name])
    for command in (
        ["inspect"], ["inspect", "--full"], ["inspect", "--json"], ["verify", "dkim"], ["verify", "arc"],
        ["verify", "dmarc"],
    ):  # fmt: skip
        run(*command, "--zone", "zone", str(file))
    for option in ("--zone", "--config"):
        file.rename(tmp_path / "odd")
        (tmp_path / "message").write_bytes(ESCAPES)
        assert run("inspect", option, "odd", *(["--zone", "zone"] if option == "--config" else []), "message")[
            0
        ] == 2 or (name in ("nothing", "carriage returns", "mbox without a start"))
        (tmp_path / "odd").rename(file)


def test_places_that_are_no_messages(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in ("folder", "/dev/null", "missing\x1b[2J", "a" * 5000, "\udcff\udcfe", "/proc/self/mem", "loop"):
        if place == "loop":
            os.symlink("loop", tmp_path / "loop")
        assert run("inspect", "--zone", "zone", place)[0] == 2


def test_a_maildir_with_odd_names(run: Run, tmp_path: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (tmp_path / "mail" / part).mkdir(parents=True)
    place = os.fsencode(tmp_path / "mail" / "cur")
    for name in (b"a b", b"\xff\xfe", b"x\n\x1b[2Jy", b":2,S", b".hidden", b"-rf", b"=cmd"):
        Path(os.fsdecode(os.path.join(place, name))).write_bytes(b"From: a@b.example\r\nSubject: x\r\n\r\n")
    os.mkfifo(tmp_path / "mail" / "cur" / "fifo")  # nobody will ever write to it
    os.symlink("loop", tmp_path / "mail" / "cur" / "loop")
    (tmp_path / "mail" / "cur" / "folder").mkdir()
    code, text = run("inspect", "--zone", "zone", "mail")
    assert code in (0, 1)
    assert "6 messages" in text
    run("inspect", "--json", "--zone", "zone", "mail")


@pytest.mark.parametrize(
    "options",
    [
        ["--ip", "999.1.1.1"], ["--now", "nan"], ["--now", "inf"], ["--now", "-1e30"], ["--now", "9" * 400],
        ["--dns-fail", "\x1b"], ["--resolver", "x"], ["--config", "missing"], ["--config", "/dev/zero"],
        ["--ehlo", "\x1b[2J\r\nx"], ["--mail-from", "a\r\nb@c"], ["--mail-from", "\udcff@x"],
    ],
)  # fmt: skip
def test_odd_options(run: Run, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "message").write_bytes(ESCAPES)
    run("inspect", *([] if options[0] == "--resolver" else ["--zone", "zone"]), *options, "message")


@pytest.mark.parametrize(
    "domain",
    ["", "..", "x", "a b.example", "-x.example", "x" * 64 + ".example", "1.2.3.4", "[1.2.3.4]", "x.example/../y",
     "\udcff.example", "xn--zzzzzz.example", "ex\x1bample.org", "a\nb.example"],
)  # fmt: skip
def test_no_domains_for_init(run: Run, tmp_path: Path, domain: str) -> None:
    assert run("init", "--folder", "new", "--", domain)[0] == 2
    assert not (tmp_path / "new").exists()


def test_domains_and_places_for_init(run: Run, tmp_path: Path) -> None:
    assert run("init", "--folder", "idn", "bücher.example")[0] == 0
    assert '[domains."xn--bcher-kva.example"]' in (tmp_path / "idn" / "gatepost.toml").read_text()
    assert run("init", "--folder", "idn", "bücher.example")[0] == 2
    (tmp_path / "file").write_bytes(b"")
    assert run("init", "--folder", "file", "x.example")[0] == 2
    assert run("init", "--folder", "/proc/none", "x.example")[0] == 2
    assert run("init", "--folder", "odd", "x.example", "--account", 'a"b')[0] == 2
