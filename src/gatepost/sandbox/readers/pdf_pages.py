"""The pages of a PDF as a person sees them: their text, and the codes in their pictures.

In: `Content` of kind pdf and the password that opens it. Out: a text of kind "pdf", a trait `picture.code`, links.
Standard: ISO 32000-2 §9 (text), §8.9 (images). Not here: what the document does (`pdf`), reading codes (`codes`).
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content
from gatepost.sandbox.readers.codes import Code, find_codes
from gatepost.sandbox.readers.picture import tell_codes

MAX_TEXT_PAGES = 50
MAX_DRAWN_PAGES = 10
MAX_LETTERS = 100_000
MAX_LINKS = 500  # of one page
MAX_SHOWN = 500
MAX_TARGET = 4_000
MAX_SECONDS = 4.0  # of processor time for all pages
MAX_SIDE = 1_600  # points of a drawn page: A4 at some 140 to the inch, where a code of an inch is read easily
MAX_POINTS = 14_400  # sides of a page that ISO 32000-2 annex C.2 allows
MANY_SHAPES = 60  # a code may be drawn as squares instead of being a picture; text and a few lines are no code


def read_pages(content: Content, finds: Finds, password: str) -> dict[str, str]:
    """Tells what the pages say and show. The answer is the text that stands where a link is, by target."""
    shown: dict[str, str] = {}
    end = time.process_time() + MAX_SECONDS
    try:
        document = pypdfium2.PdfDocument(content.octets, password=password or None)
    except (pypdfium2.PdfiumError, ValueError) as error:
        finds.trouble("damaged", content.path, f"the pages cannot be read: {error}")
        return shown
    try:
        texts: list[str] = []
        codes: dict[Code, None] = {}
        for number in range(min(len(document), MAX_TEXT_PAGES)):
            if time.process_time() > end:
                finds.trouble("time", content.path, f"only the first {number} pages were read")
                break
            texts.append(_read_page(document, number, codes, shown))
        visible = "\n".join(text for text in texts if text)[:MAX_LETTERS].strip()
        if visible:
            finds.text(item=content.path, kind="pdf", visible=visible)
        tell_codes(tuple(codes), content.path, finds)
    finally:
        document.close()
    return shown


def _read_page(document: pypdfium2.PdfDocument, number: int, codes: dict[Code, None], shown: dict[str, str]) -> str:
    """The text of a page; its codes and the texts of its links are added. A broken page says nothing."""
    try:
        page = document[number]
    except (pypdfium2.PdfiumError, IndexError):
        return ""
    try:
        if number < MAX_DRAWN_PAGES and _may_hold_code(page):
            codes.update(dict.fromkeys(_codes_on(page)))
        words = page.get_textpage()
        try:
            for target, words_there in _links_on(page, words):
                shown.setdefault(target, words_there)
            return str(words.get_text_range(0, min(words.count_chars(), MAX_LETTERS))).replace("\x00", "")
        finally:
            words.close()
    except (pypdfium2.PdfiumError, ValueError):
        return ""
    finally:
        page.close()


def _may_hold_code(page: pypdfium2.PdfPage) -> bool:
    shapes = 0
    for thing in page.get_objects(max_depth=3):
        if thing.type in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING):
            return True
        shapes += thing.type == pdfium.FPDF_PAGEOBJ_PATH
        if shapes > MANY_SHAPES:
            return True
    return False


def _codes_on(page: pypdfium2.PdfPage) -> Iterator[Code]:
    width, height = page.get_size()
    longest = max(width, height)
    if not 1 <= min(width, height) <= longest <= MAX_POINTS:
        return
    bitmap = page.render(scale=min(MAX_SIDE / longest, 4.0), grayscale=True, may_draw_forms=False)
    try:
        yield from find_codes(bitmap.to_pil())
    finally:
        bitmap.close()


def _links_on(page: pypdfium2.PdfPage, words: pypdfium2.PdfTextPage) -> Iterator[tuple[str, str]]:
    """Where a link leads, and the text that stands in its rectangle."""
    position = ctypes.c_int(0)
    link = pdfium.FPDF_LINK()
    for _ in range(MAX_LINKS):
        if not pdfium.FPDFLink_Enumerate(page, position, link):
            return
        target = _target(page, link)
        rectangle = pdfium.FS_RECTF()
        if target and pdfium.FPDFLink_GetAnnotRect(link, rectangle):
            text = words.get_text_bounded(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
            yield target, " ".join(str(text)[:MAX_SHOWN].split())


def _target(page: pypdfium2.PdfPage, link: object) -> str:
    action = pdfium.FPDFLink_GetAction(link)
    if not action or pdfium.FPDFAction_GetType(action) != pdfium.PDFACTION_URI:
        return ""
    buffer = ctypes.create_string_buffer(MAX_TARGET)
    size = pdfium.FPDFAction_GetURIPath(page.pdf, action, buffer, MAX_TARGET)
    return buffer.raw[: max(size - 1, 0)].decode("latin-1") if size <= MAX_TARGET else ""
