"""cli.sources: messages out of files, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.cli.sources import read_messages, read_one, split_stream, total_octets
from gatepost.errors import InputError

FROM = b"From a@example.org Mon Nov 24 16:00:00 2025\n"
MAIL = b"Subject: x\n\nbody\n"


def write(folder: Path, raw: bytes, name: str = "box") -> str:
    path = folder / name
    path.write_bytes(raw)
    return str(path)


def raws(path: str) -> list[bytes]:
    return [saved.raw for saved in read_messages([path])]


def test_mbox_with_and_without_the_last_empty_line(tmp_path: Path) -> None:
    for end in (b"\n", b""):
        assert raws(write(tmp_path, FROM + MAIL + b"\n" + FROM + MAIL + end)) == [MAIL, MAIL]


def test_a_from_line_inside_a_paragraph_starts_nothing(tmp_path: Path) -> None:
    mail = b"Subject: x\n\nline\nFrom here on\n"
    assert raws(write(tmp_path, FROM + mail + b"\n")) == [mail]


def test_mboxrd_quoting_is_undone_by_one(tmp_path: Path) -> None:
    assert raws(write(tmp_path, FROM + b"A: b\n\n>From x\n>>From y\n> From z\n\n")) == [
        b"A: b\n\nFrom x\n>From y\n> From z\n"
    ]


def test_crlf_mbox(tmp_path: Path) -> None:
    crlf = (FROM + MAIL + b"\n" + FROM + MAIL + b"\n").replace(b"\n", b"\r\n")
    assert raws(write(tmp_path, crlf)) == [MAIL.replace(b"\n", b"\r\n")] * 2


def test_an_eml_that_only_mentions_from_is_one_message(tmp_path: Path) -> None:
    raw = MAIL + b"\nFrom x\n\n" + MAIL
    assert raws(write(tmp_path, raw)) == [raw]


def test_a_folder_of_eml_files(tmp_path: Path) -> None:
    for name in ("b.eml", "a.EML", "c.txt"):
        write(tmp_path, MAIL, name)
    assert [Path(s.name).name for s in read_messages([str(tmp_path)])] == ["a.EML", "b.eml"]
    assert total_octets([str(tmp_path)]) == 2 * len(MAIL)
    assert total_octets([str(tmp_path), "-"]) is None


def test_a_maildir_that_holds_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "cur").mkdir()
    write(tmp_path / "cur", MAIL, "1")
    (tmp_path / ".self").symlink_to(tmp_path)
    assert len(raws(str(tmp_path))) == 2


def test_one_message_and_no_more(tmp_path: Path) -> None:
    assert read_one(write(tmp_path, FROM + MAIL)) == MAIL
    with pytest.raises(InputError, match="several"):
        read_one(write(tmp_path, (FROM + MAIL + b"\n") * 2))


def test_a_mailbox_is_read_as_it_is_asked_for() -> None:
    """Constant memory: a message is not read long before it is asked for."""
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield FROM + MAIL + b"\n"

    messages = split_stream(_Reader(endless()), "x")  # type: ignore[arg-type]
    assert [next(messages).raw for _ in range(3)] == [MAIL] * 3
    assert given <= 5


class _Reader:
    """A stream of lines that never ends."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self.source = source
        self.left = b""

    def read(self, size: int) -> bytes:
        self._fill()
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def readline(self, size: int) -> bytes:
        self._fill()
        line, newline, self.left = self.left.partition(b"\n")
        return line + newline

    def _fill(self) -> None:
        if not self.left:
            self.left = next(self.source)
