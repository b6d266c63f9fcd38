"""Documents for tests of readers, made here octet by octet or by the formats' own libraries: nobody else's files.

In: what a document should hold. Out: octets. Not here: other people's documents (GATEPOST_SUITES, in conformance).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

import pikepdf
import zxingcpp
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
LINK = "https://evil.example/link"
CODE = "https://evil.example/code"


def mail(*files: tuple[str, bytes], text: str = "Hello.\n", declared: str = "application/octet-stream") -> bytes:
    """A message with `files` attached."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.org", "bob@example.net", "Files"
    message.set_content(text)
    maintype, _, subtype = declared.partition("/")
    for name, octets in files:
        message.add_attachment(octets, maintype=maintype, subtype=subtype, filename=name)
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


# --- OOXML


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip of `parts`, packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return file.getvalue()


def relations(*rows: tuple[str, str]) -> str:
    """A part of external relationships, (type, target) each, with ids rId1, rId2 …"""
    inner = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}" TargetMode="External"/>'
        for number, (kind, target) in enumerate(rows, 1)
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inner}</Relationships>'
    )


def docx(body: str = "<w:p><w:r><w:t>Hello.</w:t></w:r></w:p>", **parts: str | bytes) -> bytes:
    """A Word document with `body`; other parts by name, `__` for a slash and `_rels` as it is."""
    document = f'<w:document xmlns:w="{WORD}" xmlns:r="{RELATIONS}"><w:body>{body}</w:body></w:document>'
    named = {"[Content_Types].xml": TYPES, "word/document.xml": document}
    return zipped({**named, **{name.replace("__", "/"): content for name, content in parts.items()}})


def field(instruction: str) -> str:
    """A field of Word, its instruction split over two runs, as Word does it."""
    first, second = instruction[:4], instruction[4:]
    return (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve">{first}</w:instrText></w:r>'
        f'<w:r><w:instrText xml:space="preserve">{second}</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )


# --- compound files


def ole(streams: Mapping[str, bytes]) -> bytes:
    """A compound file with `streams` below its root (MS-CFB, version 3, everything in the FAT: no small streams)."""
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(octets: bytes) -> int:
        first = len(sectors)
        chunks = [octets[at : at + 512].ljust(512, b"\0") for at in range(0, max(len(octets), 1), 512)]
        for number, chunk in enumerate(chunks):
            sectors.append(chunk)
            fat.append(first + number + 1 if number + 1 < len(chunks) else 0xFFFFFFFE)
        return first

    entries = [_entry("Root Entry", 5, child=1 if streams else 0xFFFFFFFF)]
    for number, (name, octets) in enumerate(streams.items(), 1):
        padded = octets.ljust(4096, b"\0")  # below 4096 octets a stream would have to be a small one
        right = number + 1 if number < len(streams) else 0xFFFFFFFF
        entries.append(_entry(name, 2, right=right, start=store(padded), size=len(padded)))
    directory = store(b"".join(entries).ljust(((len(entries) + 3) // 4) * 512, b"\0"))
    table = len(sectors)
    fat.append(0xFFFFFFFD)
    sectors.append(b"".join(struct.pack("<I", n) for n in fat).ljust(512, b"\xff"))
    header = struct.pack(
        "<8s16sHHHHH6xIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, directory, 0
    )
    header += struct.pack("<IIIII", 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", table) + b"\xff" * 432
    return header[:512] + b"".join(sectors)


def _entry(
    name: str, kind: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF, start: int = 0, size: int = 0
) -> bytes:
    wide = (name + "\0").encode("utf-16-le")
    head = wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide), kind, 1, 0xFFFFFFFF, right, child)
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)


def record(number: int, octets: bytes) -> bytes:
    """A record of an old Excel workbook."""
    return struct.pack("<HH", number, len(octets)) + octets


def macro_sheet(name: str, hidden: int = 0) -> bytes:
    """A BoundSheet8 of an Excel 4.0 macro sheet, and a name Auto_Open."""
    sheet = record(0x85, struct.pack("<IBBBB", 0, hidden, 1, len(name), 0) + name.encode("latin-1"))
    return sheet + record(0x18, struct.pack("<HBBHHHBBBB", 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0) + b"\0\x01")


def native(name: str, octets: bytes) -> bytes:
    """An Ole10Native stream: a file in a document."""
    inner = struct.pack("<H", 2) + name.encode() + b"\0C:\\x\\" + name.encode() + b"\0" + struct.pack("<HHI", 0, 3, 5)
    inner += b"C:\\y\0" + struct.pack("<I", len(octets)) + octets
    return struct.pack("<I", len(inner)) + inner


def rtf_package(name: str, octets: bytes) -> bytes:
    """Rich Text with a file in it."""
    data = native(name, octets)[4:]
    kind = b"Package\0"
    embedded = struct.pack("<III", 0x0501, 2, len(kind)) + kind + struct.pack("<II", 0, 0)
    embedded += struct.pack("<I", len(data)) + data
    return (
        b"{\\rtf1 Hello.\\par {\\object\\objemb\\objupdate{\\*\\objclass Package}{\\*\\objdata "
        + embedded.hex().encode()
        + b"}}}"
    )


# --- pictures and PDF


def qr(text: str = CODE, scale: int = 4) -> Image.Image:
    """A QR code with a quiet zone."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    return Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=scale))  # type: ignore[arg-type]


def saved(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """`image` as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def pdf(
    *,
    root: Mapping[str, Any] | None = None,
    page: Mapping[str, Any] | None = None,
    picture: Image.Image | None = None,
    files: Sequence[tuple[str, bytes]] = (),
    password: str = "",
) -> bytes:
    """A page with a line of text, a link on it, perhaps a picture; entries for the catalogue and the page."""
    document = pikepdf.new()
    sheet = document.add_blank_page(page_size=(595, 842))
    font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    sheet.Resources = Dictionary(Font=Dictionary(F1=font))
    drawn = b"BT /F1 12 Tf 72 720 Td (Please open www.bank.example) Tj ET"
    if picture is not None:
        stream = pikepdf.Stream(document, picture.convert("L").tobytes())
        for key, value in _image(picture).items():
            stream[key] = value
        sheet.Resources.XObject = Dictionary(X=stream)
        drawn += b" q 160 0 0 160 200 300 cm /X Do Q"
    sheet.Contents = pikepdf.Stream(document, drawn)
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([72, 715, 300, 735]))
    link.A = Dictionary(S=Name.URI, URI=String(LINK))
    sheet.Annots = Array([link])
    for key, value in (page or {}).items():
        sheet[key] = value
    for key, value in (root or {}).items():
        document.Root[key] = value
    for name, octets in files:
        document.attachments[name] = pikepdf.AttachedFileSpec(document, octets, filename=name)
    file = io.BytesIO()
    document.save(file, encryption=pikepdf.Encryption(owner=password, user=password) if password else False)
    return file.getvalue()


def _image(picture: Image.Image) -> dict[str, Any]:
    sizes = {"/Width": picture.width, "/Height": picture.height, "/BitsPerComponent": 8}
    return {"/Type": Name.XObject, "/Subtype": Name.Image, "/ColorSpace": Name.DeviceGray, **sizes}


def action(kind: str, **more: Any) -> Dictionary:
    """A PDF action."""
    return Dictionary(S=Name("/" + kind), **more)


# --- shortcuts


def lnk(target: str, arguments: str) -> bytes:
    """A Windows shortcut (MS-SHLLINK) with a relative path and arguments, both wide."""
    head = (
        struct.pack("<I", 0x4C)
        + bytes.fromhex("0114020000000000c000000000000046")
        + struct.pack("<I", 0x08 | 0x20 | 0x80)
    )
    strings = b"".join(struct.pack("<H", len(text)) + text.encode("utf-16-le") for text in (target, arguments))
    return head.ljust(0x4C, b"\0") + strings


def onenote(*files: bytes) -> bytes:
    """A OneNote section that holds `files`."""
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3").ljust(1024, b"\0")
    objects = b""
    for octets in files:
        objects += (
            bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac") + struct.pack("<Q", len(octets)) + b"\0" * 12 + octets
        )
    return head + objects
