"""Reads pictures: the codes in them, and the links those hold.

In: `Content` of kind png, jpeg, gif, bmp, webp, tiff or ico. Out: a trait `picture.code`, links of source "code".
Standard: see `codes`; what a code may hold: a URL, `MATMSG:`, `WIFI:` and others, of which links matter here.
Not here: finding the codes (`codes`), what is made of the links (`inspector.links`).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator

from PIL import Image, ImageFile

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.codes import MAX_PIXELS, WORK_PIXELS, Code, find_codes

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "ICO")  # Pillow reads dozens more that no mail program shows
MAX_FRAMES = 4  # of an animation
JPEG_SIDE = 1_500  # JPEG can be read at an eighth, a quarter or half: a code is still whole at this size

ImageFile.LOAD_TRUNCATED_IMAGES = True  # browsers show what there is
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit refuses JPEG before it can be read smaller; ours stands below


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells `finds` of every code in the picture."""
    codes: dict[Code, None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata
        for frame in _frames(content, finds):
            codes.update(dict.fromkeys(find_codes(frame)))
    tell_codes(tuple(codes), content.path, finds)
    return ()


def tell_codes(codes: tuple[Code, ...], path: str, finds: Finds, **where: int) -> None:
    """Notes `codes` as a trait of `path` and their links; `where` goes into the evidence."""
    if not codes:
        return
    texts = [{"format": code.format, "text": code.text} for code in codes]
    finds.trait(path, "picture.code", codes=texts, **where)
    for code in codes:
        target = link_in(code.text)
        if target:
            finds.link(target, source="code", item=path)


def link_in(text: str) -> str:
    """What a telephone would offer to open after reading `text`; empty for plain words and for addresses of people."""
    text = text.strip()
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme == "urlto":
        return link_in(rest)
    if scheme == "mebkm":  # a bookmark: MEBKM:TITLE:name;URL:http://...;;
        after = rest.partition("URL:")[2].partition(";")[0]
        return after.replace("\\:", ":")
    if colon and scheme.isascii() and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum():
        known = scheme in ("http", "https", "ftp", "javascript", "data", "file", "bitcoin", "otpauth", "intent")
        return text if known or rest.startswith("//") else ""
    first = text.partition("/")[0]
    return text if "." in first.strip(".") and " " not in text and "@" not in text and first.isascii() else ""


def _frames(content: Content, finds: Finds) -> Iterator[Image.Image]:
    """The first frame of a picture, and some more of an animation."""
    try:
        picture = Image.open(io.BytesIO(content.octets), formats=FORMATS)
    except (OSError, ValueError, SyntaxError) as error:
        reason = str(error).partition(" <_io")[0]
        finds.trouble("damaged", content.path, f"the picture cannot be read: {reason}")
        return
    if picture.format == "JPEG":
        picture.draft(None, (JPEG_SIDE, JPEG_SIDE))
    few = picture.width * picture.height > WORK_PIXELS  # each frame of an animation is kept whole, thrice
    count = min(int(getattr(picture, "n_frames", 1)), 1 if few else MAX_FRAMES)
    for number in range(count):
        try:
            if number:
                picture.seek(number)
            if not _is_readable(picture, content, finds):  # a later frame may be larger than the first
                return
            picture.load()
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            finds.trouble("damaged", content.path, f"the picture cannot be read: {error}")
            return
        yield picture


def _is_readable(picture: Image.Image, content: Content, finds: Finds) -> bool:
    if picture.width * picture.height <= MAX_PIXELS:
        return True
    size = f"{picture.width} by {picture.height}"
    finds.trouble("limit", content.path, f"a picture of {size} points is too large to look for codes in")
    return False
