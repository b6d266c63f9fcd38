"""Finds QR, Aztec, Data Matrix and PDF417 codes in a picture.

In: a Pillow image that is open, of any size its format declares. Out: the texts of the codes.
Standard: ISO/IEC 18004 (QR), 24778 (Aztec), 16022 (Data Matrix), 15438 (PDF417).
Not here: which files are pictures (`picture`), pages of documents (`pdf`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import zxingcpp
from PIL import Image, ImageFilter

MAX_PIXELS = 25_000_000  # as declared: what a telephone's camera makes; more is scaled by the format or refused
WORK_PIXELS = 4_000_000  # a code that a telephone reads from a screen survives scaling down to this
HARD_PIXELS = 1_500_000  # up to here a second look is taken: blurred, and for the rarer kinds of code
MIN_SIDE = 21  # modules of the smallest QR code
MAX_CODES = 20
MAX_TEXT = 4_096  # characters; the largest QR code holds 4,296

_F = zxingcpp.BarcodeFormat
_QR = zxingcpp.BarcodeFormats((_F.QRCode, _F.MicroQRCode))
_RARER = zxingcpp.BarcodeFormats((_F.Aztec, _F.DataMatrix, _F.PDF417))


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`format` is the symbology's name, `text` what it says."""

    format: str
    text: str


def find_codes(image: Image.Image) -> tuple[Code, ...]:
    """The codes in `image`, each once. Raises whatever Pillow raises for a broken picture."""
    if min(image.size) < MIN_SIDE:
        return ()
    found: dict[Code, None] = {}
    for grey in _on_paper(image):
        for code in _look(grey):
            found[code] = None
        if found:
            break
    return tuple(found)[:MAX_CODES]


def _on_paper(image: Image.Image) -> Iterator[Image.Image]:
    """`image` in grey. Where it is transparent, a mail program shows its own paper: white, then black."""
    image = _smaller(image)
    if "A" not in image.getbands() and "transparency" not in image.info:
        yield image.convert("L")
        return
    painted = image.convert("RGBA")
    for paper in ("white", "black"):
        sheet = Image.new("RGBA", painted.size, paper)
        sheet.alpha_composite(painted)
        yield sheet.convert("L")


def _smaller(image: Image.Image) -> Image.Image:
    pixels = image.width * image.height
    if pixels <= WORK_PIXELS:
        return image
    scale = (WORK_PIXELS / pixels) ** 0.5
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    if image.mode in ("L", "RGB", "RGBA"):
        return image.resize(size, Image.Resampling.BOX)
    return image.resize(size, Image.Resampling.NEAREST)  # turned into colours first it would take four times the memory


def _look(grey: Image.Image) -> Iterator[Code]:
    """Cheap settings first; most pictures hold no code, so the second look is only for small ones, where it is cheap.
    Blurring reads codes with a picture printed into them, the histogram those on an even ground."""
    found = zxingcpp.read_barcodes(grey, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    if not found and grey.width * grey.height <= HARD_PIXELS:
        found = zxingcpp.read_barcodes(grey, formats=_RARER, text_mode=zxingcpp.TextMode.Plain)
        blurred = grey.filter(ImageFilter.GaussianBlur(1)) if not found else grey
        for binarizer in (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram):
            found = found or zxingcpp.read_barcodes(
                blurred, formats=_QR, binarizer=binarizer, text_mode=zxingcpp.TextMode.Plain
            )
    for barcode in found[:MAX_CODES]:
        yield Code(format=str(barcode.format.name), text=barcode.text[:MAX_TEXT])
