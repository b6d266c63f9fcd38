"""What the gate finds in other people's attachments, by name: macro mails, pictures with codes, TNEF files, EICAR.

In: GATEPOST_SUITES or ../shared/suites. Out: a table of what was found and missed, and how long typical documents take.
Run: python bench/attachments.py [--json] [--write] (into docs/detection.md). Everything is opened in the sandbox, as
the server does it. A miss is a fact to print, not a failure.
Not here: archives' bombs and damage (tests), detection of whole mail (`detection`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import io
import json
import os
import statistics
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from gatepost.api import Inspection, inspect_message
from gatepost.net.zone import ZoneResolver
from gatepost.ports import Item
from gatepost.sandbox.pool import Sandbox
from pages import write_part

SUITES = Path(os.environ.get("GATEPOST_SUITES", Path(__file__).resolve().parents[2] / "shared" / "suites"))
NOW = 1_790_000_000.0
EVIDENCE = 500  # characters: `sandbox.limits.Limits.evidence_length`
# Nobody's rules, but whether the mail's own README says that something is wrong with it, and which rule has to say it.
MACROS = {
    "macro": "attachment.macro",
    "malicemacro": "attachment.macro",
    "nomacro": "",
    "renamedmacro": "attachment.macro",
    "zippwmacro": "attachment.macro",
    "encrypted": "attachment.password-in-text",
    "target_uri": "link",
    "goodcsv": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A file that has to come out. The suite keeps text with LF alone, whatever it had, and objects with their class
    before them: `hashes` are of the ways in which the octets may have lain in the file. Where line ends were mixed, no
    hash can be known: then the name and a size between `least` and `most` have to do."""

    name: str
    hashes: frozenset[str]
    least: int
    most: int

    def is_among(self, items: tuple[Item, ...]) -> bool:
        """Whether one of `items` is this file."""
        return any(
            item.sha256 in self.hashes or (item.name == self.name and self.least <= item.size <= self.most)
            for item in items
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`want` is what has to be found: a rule's code, "" for no finding on attachments, or what the group says."""

    group: str
    name: str
    raw: bytes
    want: str
    files: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`found` says whether it was; `seen` tells what was found in its place."""

    group: str
    name: str
    found: bool
    seen: str
    seconds: float


def mail(name: str, octets: bytes, declared: str, text: str = "See the file.\n") -> bytes:
    """A message with one file."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.org", "bob@example.net", "A file"
    message["Date"], message["Message-ID"] = "Mon, 21 Sep 2026 16:00:00 +0000", "<1@example.org>"
    message.set_content(text)
    maintype, _, subtype = declared.partition("/")
    message.add_attachment(octets, maintype=maintype, subtype=subtype, filename=name)
    return message.as_bytes(policy=SMTP)


def cases(suites: Path) -> Iterator[Case]:
    """Every case of the four suites."""
    for name, octets, declared in _typical():
        raw = mail(name.replace(" ", "-"), octets, declared)
        yield Case(group="typical files", name=name, raw=raw, want="")
    folder = suites / "attachments" / "spamassassin-olevbmacro"
    for name, want in MACROS.items():
        yield Case(group="macro mails", name=name, raw=(folder / f"{name}.eml").read_bytes(), want=want)
    yield from _eicar(suites)
    for path in sorted((suites / "qr" / "zxing").glob("*/*.png")):
        text, name = path.with_suffix(".txt").read_bytes().decode(), f"{path.parent.name}/{path.name}"
        yield Case(
            group="pictures with codes", name=name, raw=mail(path.name, path.read_bytes(), "image/png"), want=text
        )
    for path in sorted((suites / "mime" / "mimekit-tnef").glob("*.tnef")):
        inside = path.with_suffix("")
        files = tuple(_expected(file) for file in sorted(inside.iterdir())) if inside.is_dir() else ()
        raw = mail("winmail.dat", path.read_bytes(), "application/ms-tnef")
        yield Case(group="TNEF", name=path.name, raw=raw, want="all files", files=files)


def _eicar(suites: Path) -> Iterator[Case]:
    octets = base64.b64decode(json.loads((suites / "attachments" / "eicar" / "eicar.json").read_text())["base64"])
    rows = {
        "attached as text": mail("eicar.txt", octets, "text/plain"),
        "attached as a program": mail("eicar.com", octets, "application/octet-stream"),
        "attached as a picture": mail("photo.jpg", octets, "image/jpeg"),
        "in a zip": mail("a.zip", _zipped("eicar.com", octets), "application/zip"),
        "in a zip in a zip": mail("a.zip", _zipped("b.zip", _zipped("e.com", octets)), "application/zip"),
        "as the text itself": b"From: a@example.org\r\n\r\n" + octets + b"\r\n",
    }
    for name, raw in rows.items():
        yield Case(group="EICAR", name=name, raw=raw, want="malware.found")


def _zipped(name: str, octets: bytes, *more: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in ((name, octets), *more):
            archive.writestr(each, content)
    return file.getvalue()


def _typical() -> Iterator[tuple[str, bytes, str]]:
    """What people send each other: nothing may be found, and the time is what honest mail costs."""
    words = "The quick brown fox jumps over the lazy dog. "
    paragraphs = "".join(f"<w:p><w:r><w:t>{number} {words * 5}</w:t></w:r></w:p>" for number in range(200))
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'<w:document xmlns:w="{space}"><w:body>{paragraphs}</w:body></w:document>'
    document = _zipped("[Content_Types].xml", b"<Types/>", ("word/document.xml", body.encode()))
    yield "letter of 20 pages.docx", document, "application/octet-stream"
    yield "letter of 20 pages.zip", _zipped("letter.docx", document), "application/zip"
    rows = "".join(f'<row><c t="s"><v>{n}</v></c><c><v>{n * 7}</v></c></row>' for n in range(5_000))
    parts = [
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/worksheets/sheet1.xml", f"<worksheet>{rows}</worksheet>".encode()),
    ]
    yield "sheet of 5000 rows.xlsx", _zipped("[Content_Types].xml", b"<Types/>", *parts), "application/octet-stream"
    photo = Image.effect_noise((1000, 750), 60).resize((4000, 3000), Image.Resampling.BICUBIC).convert("RGB")
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=85)
    yield "photograph of 12 megapixels.jpg", file.getvalue(), "image/jpeg"
    for pages, picture in ((3, False), (10, True)):
        yield (
            f"report of {pages} pages{' with pictures' if picture else ''}.pdf",
            _pdf(pages, photo if picture else None),
            ("application/pdf"),
        )


def _pdf(pages: int, photo: Image.Image | None) -> bytes:
    document = pikepdf.new()
    kind = {"Type": pikepdf.Name.Font, "Subtype": pikepdf.Name.Type1, "BaseFont": pikepdf.Name.Helvetica}
    font = document.make_indirect(pikepdf.Dictionary(**kind))
    for _ in range(pages):
        page = document.add_blank_page(page_size=(595, 842))
        lines = b"".join(b"(The quick brown fox jumps over the lazy dog.) Tj T* " for _ in range(50))
        drawn = b"BT /F1 10 Tf 14 TL 50 800 Td " + lines + b"ET"
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        if photo is not None:
            small = photo.resize((600, 450)).convert("L")
            stream = pikepdf.Stream(document, small.tobytes())
            stream.Type, stream.Subtype, stream.ColorSpace = (
                pikepdf.Name.XObject,
                pikepdf.Name.Image,
                pikepdf.Name.DeviceGray,
            )
            stream.Width, stream.Height, stream.BitsPerComponent = 600, 450, 8
            page.Resources.XObject = pikepdf.Dictionary(X=stream)
            drawn += b" q 300 0 0 225 100 50 cm /X Do Q"
        page.Contents = pikepdf.Stream(document, drawn)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _expected(file: Path) -> Expected:
    octets = file.read_bytes()
    lines = octets.replace(b"\r\n", b"\n")
    wide = lines.replace(b"\n", b"\r\n")
    rows = (octets, lines, wide, octets[16:])
    mixed = b"\0" not in octets
    return Expected(
        name=file.name,
        hashes=frozenset(hashlib.sha256(row).hexdigest() for row in rows),
        least=len(lines) if mixed else len(octets),
        most=len(wide) if mixed else len(octets),
    )


def judge(case: Case, result: Inspection, seconds: float) -> Outcome:
    """Whether what had to be found was."""
    codes = {finding.code for finding in result.findings}
    opened = result.facts.content.opened if result.facts.content is not None else None
    seen = sorted(code for code in codes if code.startswith(("attachment.", "malware.", "content.")))
    if case.group == "pictures with codes":
        traits = (item.trait("picture.code") for item in opened.items) if opened is not None else ()
        texts = [code["text"] for trait in traits if trait is not None for code in trait.evidence["codes"]]
        seen, found = texts, any(_same(text, case.want) for text in texts)
    elif case.group == "TNEF":
        have = opened.items if opened is not None else ()
        missing = [file.name for file in case.files if not file.is_among(have)]
        seen, found = [f"all but {name}" for name in missing], not missing
    elif case.want == "link":
        links = [link.target for link in opened.links if link.source == "office"] if opened is not None else []
        seen, found = links, bool(links)
    else:
        grave = {code for code in seen if code != "attachment.code-with-link"}
        found = case.want in codes if case.want else not grave
    return Outcome(group=case.group, name=case.name, found=found, seen=", ".join(seen)[:100], seconds=seconds)


def _same(text: str, want: str) -> bool:
    """Whether `text` is what was wanted; evidence is cut at five hundred characters."""
    return text.strip() == want.strip() or (len(text) >= EVIDENCE and want.startswith(text))


async def measure(suites: Path) -> list[Outcome]:
    """All cases, one after the other."""
    resolver = ZoneResolver("")
    outcomes = []
    async with Sandbox() as sandbox:
        for case in [*cases(suites)][:1]:  # a child's first message costs more than all that follow
            await inspect_message(case.raw, resolver=resolver, opener=sandbox, now=NOW)
        for case in cases(suites):
            begun = time.perf_counter()
            result = await inspect_message(case.raw, resolver=resolver, opener=sandbox, now=NOW)
            outcomes.append(judge(case, result, time.perf_counter() - begun))
    return outcomes


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """By group: counts, misses by name, milliseconds."""
    rows: dict[str, Any] = {}
    for group in dict.fromkeys(outcome.group for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.group == group]
        times = [outcome.seconds * 1000 for outcome in mine]
        rows[group] = {
            "cases": len(mine),
            "found": sum(outcome.found for outcome in mine),
            "missed": [{"name": outcome.name, "seen": outcome.seen} for outcome in mine if not outcome.found],
            "median_ms": round(statistics.median(times), 1),
            "most_ms": round(max(times), 1),
        }
    return rows


def page(outcomes: list[Outcome]) -> list[str]:
    """The table for docs/detection.md: what was found in each, by name; of the many pictures only what was missed."""
    lines = ["| suite | found | missed, by name |", "|---|---|---|"]
    for group, row in summary(outcomes).items():
        missed = [f"{miss['name']} (read as: {miss['seen'] or 'nothing'})" for miss in row["missed"]]
        lines.append(f"| {group} | {row['found']} of {row['cases']} | {'; '.join(missed) or '-'} |")
    lines += ["", "| file | what is said of it |", "|---|---|"]
    for outcome in outcomes:
        if outcome.group in ("macro mails", "EICAR", "TNEF"):
            said = outcome.seen or "nothing: there is nothing wrong with it"
            if outcome.group == "TNEF" and outcome.found:
                said = "all its files, octet for octet"
            lines.append(f"| {outcome.group}: {outcome.name} | {said} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/detection.md")
    asked = parser.parse_args()
    if not SUITES.is_dir():
        print(f"no suites in {SUITES}; GATEPOST_SUITES names another place", file=sys.stderr)
        return 2
    outcomes = asyncio.run(measure(SUITES))
    rows = summary(outcomes)
    if asked.write:
        write_part("detection.md", "attachments", page(outcomes))
    if asked.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    print(f"{'suite':<22}{'found':>12}{'median':>10}{'most':>10}")
    for group, row in rows.items():
        print(f"{group:<22}{row['found']:>5} of {row['cases']:<3}{row['median_ms']:>8} ms{row['most_ms']:>7} ms")
        for miss in row["missed"]:
            print(f"    missed: {miss['name']} (seen: {miss['seen'] or 'nothing'})")
    print("\nwhat was said:")
    for outcome in outcomes:
        if outcome.group in ("typical files", "macro mails", "EICAR"):
            print(f"    {outcome.name:<36}{outcome.seconds * 1000:>7.1f} ms  {outcome.seen or '-'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
