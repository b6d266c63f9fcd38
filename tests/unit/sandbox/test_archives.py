"""Archives: members are found in every kind, bombs end early, what is locked opens with the text's password."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.ports import Opened

Open = Callable[..., Opened]
Needed = Callable[[str], Any]
EXE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\x00\x00" + bytes(200)
SUITES = Path(__file__).parents[4] / "shared" / "suites"


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip as Python writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    """A tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, octets in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))
    return out.getvalue()


def kinds(opened: Opened) -> dict[str, str]:
    """The kinds by path, without the text of the message."""
    return {item.path: item.kind for item in opened.items if item.path != "1"}


def troubles(opened: Opened) -> set[str]:
    """The codes of what went wrong."""
    return {trouble.code for trouble in opened.trouble}


def traits(opened: Opened, path: str = "2") -> set[str]:
    """The codes of an item's traits."""
    return {trait.code for item in opened.items if item.path == path for trait in item.traits}


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_zip_of_every_method(open_attachment: Open, method: int) -> None:
    opened = open_attachment(zipped({"a/b.exe": EXE, "c.txt": b"words\n" * 50}, method), "x.zip")
    assert kinds(opened) == {"2": "zip", "2/1": "pe", "2/2": "text"}
    assert not opened.trouble
    assert [item.parent for item in opened.items] == ["", "", "2", "2"]


@pytest.mark.parametrize(
    ("packed", "kind"),
    [
        (gzip.compress(EXE), "gzip"),
        (gzip.compress(EXE[:70]) + gzip.compress(EXE[70:]), "gzip"),
        (bz2.compress(EXE), "bzip2"),
        (lzma.compress(EXE), "xz"),
        (lzma.compress(EXE, lzma.FORMAT_ALONE), "lzma"),
    ],
    ids=("gzip", "gzip in two members", "bzip2", "xz", "lzma"),
)
def test_compressors(open_attachment: Open, packed: bytes, kind: str) -> None:
    opened = open_attachment(packed, f"setup.exe.{kind}")
    assert kinds(opened) == {"2": kind, "2/1": "pe"}
    assert opened.items[2].size == len(EXE)
    assert not opened.trouble


def test_zstd(open_attachment: Open, needed: Needed) -> None:
    zstd = needed("backports.zstd")
    assert kinds(open_attachment(zstd.compress(EXE), "x.zst")) == {"2": "zstd", "2/1": "pe"}


def test_tar_in_gzip_in_zip(open_attachment: Open, needed: Needed) -> None:
    needed("libarchive")
    opened = open_attachment(zipped({"x.tgz": gzip.compress(tarred({"evil.exe": EXE}))}), "x.zip")
    assert kinds(opened) == {"2": "zip", "2/1": "gzip", "2/1/1": "tar", "2/1/1/1": "pe"}
    assert opened.items[-1].name == "evil.exe"


def test_7z_plain_and_locked(open_attachment: Open, needed: Needed) -> None:
    py7zr = needed("py7zr")
    for password, text, locked in (
        (None, "Hello", False),
        ("Sommer2026!", "Das Passwort lautet: Sommer2026!\n", False),
        ("Sommer2026!", "Hello", True),
    ):
        out = io.BytesIO()
        with py7zr.SevenZipFile(out, "w", password=password, header_encryption=password is not None) as archive:
            archive.writestr(EXE, "a.exe")
        opened = open_attachment(out.getvalue(), "x.7z", text)
        assert kinds(opened) == ({"2": "7z"} if locked else {"2": "7z", "2/1": "pe"})
        assert ("archive.encrypted" in traits(opened)) is (password is not None)
        assert ("archive.password-in-text" in traits(opened)) is (password is not None and not locked)
        assert troubles(opened) == ({"encrypted"} if locked else set())


@pytest.mark.parametrize(
    "text",
    [
        "Password: s3cret!",
        "the password is s3cret!.",
        "Das Passwort für das Archiv lautet s3cret!",
        "mot de passe : « s3cret! »",
        "Contraseña: s3cret!",
        "PIN (s3cret!)",
    ],
)
def test_locked_zip_opens_with_the_password_of_the_text(open_attachment: Open, text: str, tmp_path: Path) -> None:
    opened = open_attachment(locked_zip(b"s3cret!", EXE), "x.zip", text)
    assert kinds(opened) == {"2": "zip", "2/1": "pe"}
    assert traits(opened) == {"archive.encrypted", "archive.password-in-text"}
    assert not opened.trouble


def test_locked_zip_stays_locked_without(open_attachment: Open) -> None:
    opened = open_attachment(locked_zip(b"s3cret!", EXE), "x.zip")
    assert kinds(opened) == {"2": "zip"}
    assert traits(opened) == {"archive.encrypted"}
    assert troubles(opened) == {"encrypted"}


def test_aes_zip(open_attachment: Open) -> None:
    for strength in (1, 2, 3):
        opened = open_attachment(aes_zip(b"s3cret!", EXE, strength), "x.zip", "Password: s3cret!")
        assert kinds(opened) == {"2": "zip", "2/1": "pe"}, strength
        assert traits(opened) == {"archive.encrypted", "archive.password-in-text"}
    opened = open_attachment(aes_zip(b"s3cret!", EXE, 3), "x.zip", "Password: wrong")
    assert troubles(opened) == {"encrypted"}


# --- bombs


def test_bomb_by_ratio(open_attachment: Open) -> None:
    opened = open_attachment(zipped({"zeros": bytes(50 << 20)}), "x.zip")
    assert troubles(opened) == {"bomb"}
    assert "2/1" not in kinds(opened)


def test_bomb_within_an_archive(open_attachment: Open) -> None:
    inner = zipped({"zeros": bytes(100 << 20)})
    opened = open_attachment(zipped({"inner.zip": inner}), "x.zip")
    assert troubles(opened) == {"bomb"}


def test_large_files_in_proportion_are_no_bomb(open_attachment: Open) -> None:
    words = b"".join(b"%d;Hamburg;%d\n" % (n, n * 7) for n in range(150_000))
    for octets in (zipped({"a.csv": words}), gzip.compress(words)):
        assert troubles(open_attachment(octets, "x", member=1 << 20, ratio_from=1 << 18)) == {"limit"}


def test_many_small_streams_do_not_take_long(open_attachment: Open) -> None:
    assert troubles(open_attachment(gzip.compress(b"x") * 30_000, "x.gz")) == {"limit"}


def test_limit_by_total(open_attachment: Open) -> None:
    words = b"".join(struct.pack("<I", n * 2654435761 & 0xFFFFFFFF) for n in range(1 << 16))
    opened = open_attachment(zipped({f"{n}": words + bytes([n]) for n in range(40)}), "x.zip", total=1 << 20)
    assert troubles(opened) == {"limit"}  # large, but in proportion
    assert len(kinds(opened)) < 6


def test_bomb_by_depth(open_attachment: Open) -> None:
    octets = EXE
    for n in range(20):
        octets = zipped({f"{n}.zip": octets})
    opened = open_attachment(octets, "x.zip")
    assert troubles(opened) == {"bomb"}
    assert len(kinds(opened)) < 12


def test_limit_by_count(open_attachment: Open) -> None:
    opened = open_attachment(zipped({f"{n}.txt": b"%d" % n for n in range(3000)}), "x.zip", items=500)
    assert troubles(opened) == {"limit"}
    assert len(opened.items) == 500


def test_bomb_in_gzip(open_attachment: Open) -> None:
    twice = gzip.compress(gzip.compress(bytes(60 << 20)))
    assert troubles(open_attachment(twice, "x.gz")) == {"bomb"}


def test_bomb_of_overlapping_members(open_attachment: Open) -> None:
    octets = overlapping_zip(zlib.compress(bytes(2 << 20), 9)[2:-4], 600)
    opened = open_attachment(octets, "x.zip")
    assert "archive.overlap" in traits(opened)
    assert troubles(opened) == {"bomb"}


def test_archive_that_contains_itself(open_attachment: Open) -> None:
    quine = quine_like()
    opened = open_attachment(quine, "x.gz")
    assert troubles(opened) <= {"bomb", "damaged"}
    assert len(opened.items) < 20


# --- tricks


def test_names_that_lead_out_and_links(open_attachment: Open, needed: Needed) -> None:
    opened = open_attachment(zipped({"../../etc/cron.d/x": b"words", "ok.txt": b"fine"}), "x.zip")
    assert traits(opened) == {"archive.path-traversal"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("passwd")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    needed("libarchive")
    assert traits(open_attachment(out.getvalue(), "x.tar")) == {"archive.symlink"}


def test_member_that_the_directory_does_not_list(open_attachment: Open) -> None:
    first, second = zipped({"evil.exe": EXE}), zipped({"ok.txt": b"fine"})
    opened = open_attachment(first[: first.index(b"PK\x01\x02")] + second, "x.zip")
    assert sorted(kinds(opened).values()) == ["pe", "text", "zip"]
    assert "archive.hidden-member" in traits(opened)


def test_name_that_differs_before_the_member(open_attachment: Open) -> None:
    octets = zipped({"invoice.exe": EXE})
    octets = octets.replace(b"invoice.exe", b"invoice.txt", 1)
    opened = open_attachment(octets, "x.zip")
    assert "archive.name-differs" in traits(opened)
    assert set(opened.items[2].names) == {"invoice.exe", "invoice.txt"}


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz", "tar"])
def test_truncated_and_spoilt_archives_are_trouble_at_most(open_attachment: Open, needed: Needed, kind: str) -> None:
    if kind == "tar":
        needed("libarchive")
    whole = {
        "zip": zipped({"a.exe": EXE, "b.txt": b"word " * 400}),
        "gz": gzip.compress(EXE),
        "bz2": bz2.compress(EXE),
        "xz": lzma.compress(EXE),
        "tar": tarred({"a.exe": EXE}),
    }[kind]
    for cut in range(0, len(whole), max(len(whole) // 25, 1)):
        open_attachment(whole[:cut], f"x.{kind}")
        spoilt = bytearray(whole)
        spoilt[cut] ^= 0xFF
        open_attachment(bytes(spoilt), f"x.{kind}")


# --- how the odd ones are made


def locked_zip(password: bytes, octets: bytes) -> bytes:
    """A zip locked with the cipher of 1989, written from its description."""
    table = [zlib.crc32(bytes([n]), 0xFFFFFFFF) ^ 0xFFFFFFFF for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def turn(octet: int) -> None:
        keys[0] = (keys[0] >> 8) ^ table[(keys[0] ^ octet) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    for octet in password:
        turn(octet)
    crc = zlib.crc32(octets)
    packed = zlib.compress(octets)[2:-4]
    out = bytearray()
    for octet in bytes(11) + bytes([crc >> 24]) + packed:
        mask = keys[2] | 2
        out.append(octet ^ (((mask * (mask ^ 1)) >> 8) & 0xFF))
        turn(octet)
    return _single(bytes(out), method=8, flags=1, crc=crc, size=len(octets), extra=b"")


def aes_zip(password: bytes, octets: bytes, strength: int) -> bytes:
    """A zip locked with AES as WinZip does."""
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    length = {1: 16, 2: 24, 3: 32}[strength]
    salt = bytes(range(length // 2))
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 2 * length + 2)
    packed = zlib.compress(octets)[2:-4]
    machine = Cipher(algorithms.AES(keys[:length]), modes.ECB()).encryptor()
    stream = b"".join(machine.update(n.to_bytes(16, "little")) for n in range(1, len(packed) // 16 + 2))
    body = bytes(a ^ b for a, b in zip(packed, stream, strict=False))
    code = hmac.digest(keys[length : 2 * length], body, "sha1")[:10]
    extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", strength, 8)
    return _single(salt + keys[-2:] + body + code, method=99, flags=1, crc=0, size=len(octets), extra=extra)


def _single(data: bytes, *, method: int, flags: int, crc: int, size: int, extra: bytes) -> bytes:
    name = b"a.exe"
    common = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 0, crc, len(data), size, len(name), len(extra))
    local = b"PK\x03\x04" + common + name + extra
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name + extra
    start = len(local) + len(data)
    return local + data + central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), start, 0)


def overlapping_zip(packed: bytes, count: int) -> bytes:
    """Many members that are all the same octets."""
    name = b"0000"
    common = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0, 0, len(packed), 2 << 20)
    local = b"PK\x03\x04" + common + struct.pack("<HH", len(name), 0) + name
    central = b"".join(
        b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHHHII", 4, 0, 0, 0, 0, 0, 0) + b"%04d" % n
        for n in range(count)
    )
    start = len(local) + len(packed)
    return (
        local + packed + central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(central), start, 0)
    )


def quine_like() -> bytes:
    """Forty gzips, one in the other: as deep as one that contains itself would look."""
    octets = EXE
    for _ in range(40):
        octets = gzip.compress(octets)
    return octets
