"""One entity of a message: header, body, and what they claim to be.

In: offsets into the octets, from the tree's reader. Out: `Part`; its body is cut and decoded when asked for.
Standard: RFC 2045 (fields), RFC 2183 (disposition). Where two fields disagree the first counts, as with most readers,
and the defect says so.
Not here: where parts begin and end (`mime`), transfer encodings (`transfer`), parameters (`parameters`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from gatepost.message.charsets import decode_text
from gatepost.message.header import Header
from gatepost.message.parameters import (
    ContentType,
    Disposition,
    parse_content_disposition,
    parse_content_type,
)
from gatepost.message.transfer import Decoded, decode_transfer

_NO_DISPOSITION = Disposition(value="")


class Part:
    """One entity: the header is `source[start:body_start]`, the body `source[body_start:body_end]`.

    `source` is the message's octets, except below a message/rfc822 that was base64 or quoted-printable against the
    rules: there it is the decoded body. `children` are the parts of a multipart, or the one message in a message.
    `defects`: "missing-boundary", "no-parts", "unclosed-boundary", "text-after-boundary", "duplicate-content-type",
    "duplicate-encoding", "duplicate-disposition", "encoded-multipart", "encoded-message", "uuencoded-text",
    "too-deep", "too-many-parts", "bad-content-type" and the header's. Those of the body are in `decoded`.
    """

    def __init__(self, source: bytes, start: int, header: Header, default: ContentType) -> None:
        self.source = source
        self.start = start
        self.header = header
        self.body_start = header.end
        self.body_end = len(source)
        self.preamble_end = self.body_start
        self.epilogue_start: int | None = None
        self.children: list[Part] = []
        self.defects: tuple[str, ...] = header.defects
        self.content_type = default
        self.encoding = ""
        types = header.all("content-type")
        if types:
            self.content_type = parse_content_type(types[0].value)
            if "bad-content-type" in self.content_type.defects:
                self.note("bad-content-type")
        encodings = header.all("content-transfer-encoding")
        if encodings:
            self.encoding = _encoding(encodings[0].text)
        # readers differ on which of two fields counts; we take the first, as most do, and say so
        if len(types) > 1:
            self.note("duplicate-content-type")
        if len(encodings) > 1:
            self.note("duplicate-encoding")
        if len(header.all("content-disposition")) > 1:
            self.note("duplicate-disposition")

    def note(self, defect: str) -> None:
        """Adds a defect once."""
        if defect not in self.defects:
            self.defects = (*self.defects, defect)

    @property
    def is_multipart(self) -> bool:
        """Whether the body was cut into parts."""
        return bool(self.children) and self.content_type.maintype == "multipart"

    @property
    def is_message(self) -> bool:
        """Whether the body is one message, read as the only child."""
        return bool(self.children) and self.content_type.maintype == "message"

    @property
    def body(self) -> bytes:
        """The body's octets as they stand."""
        return self.source[self.body_start : self.body_end]

    @property
    def preamble(self) -> bytes:
        """What a multipart says before its first part."""
        return self.source[self.body_start : self.preamble_end] if self.children else b""

    @property
    def epilogue(self) -> bytes:
        """What a multipart says after its closing delimiter."""
        return self.source[self.epilogue_start : self.body_end] if self.epilogue_start is not None else b""

    @cached_property
    def decoded(self) -> Decoded:
        """The body without its transfer encoding, decoded on first use."""
        return decode_transfer(self.body, self.encoding)

    @property
    def text(self) -> str:
        """The decoded body as text in the charset it claims."""
        return decode_text(self.decoded.octets, self.content_type.get("charset"))[0]

    @cached_property
    def disposition(self) -> Disposition:
        """The first Content-Disposition; value "" when there is none."""
        found = self.header.all("content-disposition")
        return parse_content_disposition(found[0].value) if found else _NO_DISPOSITION

    @property
    def filename(self) -> str:
        """The file name most readers show: Content-Disposition's, else the type's `name`."""
        return self.disposition.get("filename") or self.content_type.get("name")

    @property
    def filenames(self) -> tuple[str, ...]:
        """Every file name that some reader may take, without repetition."""
        found = (*self.disposition.all("filename"), *self.content_type.all("name"), *self.disposition.all("name"))
        return tuple(dict.fromkeys(name for name in found if name))

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the octets."""
        todo = [self]
        while todo:
            part = todo.pop()
            yield part
            todo.extend(reversed(part.children))


def _encoding(text: str) -> str:
    """The token, in lower case; comments and what else follows are left out."""
    return text.lower().partition(";")[0].partition("(")[0].strip(" \t\"'")
