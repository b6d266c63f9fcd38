"""Tag lists, the `tag=value; tag=value` of DKIM, ARC and their key records.

In: octets, folded or not. Out: a dictionary of the values, and in words what is wrong with the list.
Standard: RFC 6376 §3.2; RFC 8616 §3 lets UTF-8 stand in values.
Not here: what a tag means (`dkim.signature`, `dkim.record`, `arc.seal`).
"""

from __future__ import annotations

MAX_TAGS = 100  # twelve tags are defined for a signature; more than this is noise

Tags = dict[str, bytes]

# Controls but HTAB: neither VALCHAR nor white space may be one of these.
_CONTROLS = bytes(octet for octet in range(32) if octet != 9) + b"\x7f"
_WSP = b" \t"


def parse_tags(text: bytes) -> tuple[Tags, str]:
    """The tags in order with surrounding white space gone, and the defect ("" when there is none).

    RFC 6376 §3.2: tag names are case-sensitive, a tag may not stand twice, one semicolon may end the list; an empty
    tag elsewhere is an error. What was read before an error is still returned, for the report.
    """
    compact = text.replace(b"\r\n", b"").strip(_WSP)
    defect = "" if len(compact.translate(None, _CONTROLS)) == len(compact) else "the tag list holds control characters"
    pieces = compact.split(b";", MAX_TAGS + 1)
    if len(pieces) > MAX_TAGS:
        defect = defect or "the tag list has too many tags"
        del pieces[MAX_TAGS:]
    if not pieces[-1].strip(_WSP):
        pieces.pop()
    tags: Tags = {}
    for piece in pieces:
        name, equals, value = piece.partition(b"=")
        key = name.strip(_WSP)
        word = _USUAL.get(key) or _tag_name(key)
        if not equals or not word:
            defect = defect or "the tag list has something that is no tag"
            continue
        if word in tags:
            defect = defect or f"the tag {word}= stands twice"
            continue
        tags[word] = value.strip(_WSP)
    return tags, defect


_USUAL = {
    name.encode(): name for name in ("v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "p", "k", "cv")
}


def _tag_name(name: bytes) -> str:
    """tag-name = ALPHA *ALNUMPUNC (RFC 6376 §3.2); "" for anything else."""
    good = name[:1].isalpha() and name.replace(b"_", b"").isalnum() and len(name) <= 64
    return name.decode("ascii") if good else ""


def without_whitespace(value: bytes) -> bytes:
    """A base64 or colon-separated value with its folding white space gone (RFC 6376 §3.5)."""
    return value.translate(None, b" \t\r\n")


def parse_number(value: bytes, digits: int) -> int | None:
    """An unsigned decimal of at most `digits` digits, else None."""
    return int(value) if value.isdigit() and len(value) <= digits else None
