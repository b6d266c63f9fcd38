"""Reads plain text: the addresses that a mail program turns into links, and words that are split unseen.

In: a text, or the octets of a text part. Out: targets in order; the text itself.
Standard: RFC 3986 Appendix C (angle brackets, "URL:", line ends inside), else what mail programs do: an address begins
with a scheme or "www." or ends in a well-known suffix, and a full stop after it is the sentence's.
De-fanged addresses (hxxp, [.]) are left alone: nobody can press them. Linear; imports nothing large, since small text
parts are read in process. Not here: what an address means (`inspector.links`), HTML (`html`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.charset import read_text

MAX_LENGTH = 2000  # characters of one address
MAX_LINKS = 2000
MAX_TRIMMED = 50  # signs at the end of an address that are the sentence's
WRAPPED_FROM = 60  # a line at least this long that ends in an address was wrapped by a program

# Suffixes under which a bare name is taken for an address. Mail programs know them all; those that are also file
# extensions or words ("py", "md", "zip", "mov", "sh", "pl" is Poland's) are left to what follows: a slash.
_SUFFIXES = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|mobi|tel|travel|app|dev|page|web|site|online|website|store|shop|club"
    "|top|xyz|icu|vip|win|bid|loan|men|work|click|link|live|life|world|today|space|fun|host|press|cloud|tech|agency"
    "|email|support|services|center|company|solutions|finance|bank|money|credit|digital|media|network|systems|group"
    "|gmbh|ltd|llc|ink|cam|buzz|rest|monster|quest|cfd|sbs|cyou|bond|lol|beauty|hair|skin|autos|boats|homes|motorcycles"
    "|yachts|zip|mov|de|at|ch|fr|es|pt|it|nl|be|lu|uk|ie|dk|se|no|fi|is|pl|cz|sk|hu|ro|bg|gr|hr|si|rs|ba|mk|al|lt|lv"
    "|ee|ua|ru|su|by|kz|tr|il|us|ca|mx|br|ar|cl|co|pe|uy|ve|au|nz|jp|cn|hk|tw|kr|in|id|my|sg|th|vn|ph|pk|za|ng|ke|eg"
    "|ma|tn|ae|sa|ir|eu|asia|io|me|tv|cc|ws|to|ly|gl|gd|la|tk|ml|ga|cf|gq|pw|fm|ai|sh|rs|st|gg|im|li"
)
# every address has one of them, and prose hardly any
_SIGNS = re.compile(r"[:.](?:(?<=:)(?=[/\\])|(?<=\.)(?=[A-Za-z0-9]))")
_SCHEME = re.compile(r"(?<![a-zA-Z0-9])(?:https?|ftp)\Z", re.IGNORECASE)
_SLASHES = re.compile(r":[/\\]{1,3}(?=[^\s/\\])")
_WRAPPED = re.compile(r"<(?:URL:)?\s{0,8}\Z", re.IGNORECASE)
_TO_BRACKET = re.compile(r"[^<>\"]{1,3000}(?=>)")
_WWW = re.compile(r"(?<![\w@./:=-])www\Z", re.IGNORECASE)
_SUFFIX = re.compile(rf"\.(?:{_SUFFIXES})(?![\w-]|\.[a-zA-Z0-9]|@)", re.IGNORECASE)
_REST = re.compile(r"[^\s<>\"\u00a0\u3000«»“”]{0,2000}")
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
_BEFORE = frozenset("@/\\:=_%&+~#")  # what a bare name is not preceded by: it is part of something else then
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_WHITE = re.compile(r"\s+")
SPLIT_WORD = re.compile("[A-Za-z][\u034f\u200b\u200c\u200d\u2060\u2061\u2062\u2063\ufeff]+(?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class Address:
    """`target` has a scheme, "http:" where none is written; `end` is where it ends in the text."""

    target: str
    end: int


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells the text and its links."""
    text = read_text(content.octets, content.charset)
    finds.text(item=content.path, kind="plain", visible=text)
    for address in find_addresses(text):
        finds.link(address.target, source="text", item=content.path)
    split = count_split_words(text)
    if split:
        finds.trait(content.path, "text.split-words", count=split)
    return ()


def count_split_words(text: str) -> int:
    """How often a word of Latin letters is split by characters that do not show, as no program does by itself."""
    return 0 if text.isascii() else sum(1 for _ in SPLIT_WORD.finditer(text))


def find_addresses(text: str) -> Iterator[Address]:
    """What a mail program makes links of, at most `MAX_LINKS`."""
    if "." not in text and ":" not in text:
        return
    at, low, found = 0, 0, 0
    while found < MAX_LINKS:
        sign = _SIGNS.search(text, at)
        if sign is None:
            return
        begin = sign.start()
        address = _with_scheme(text, begin) if text[begin] == ":" else _with_dot(text, begin, low)
        if address is None:
            at = sign.end()
            continue
        yield address
        found += 1
        at = low = max(address.end, sign.end())


def _with_scheme(text: str, colon: int) -> Address | None:
    scheme = _SCHEME.search(text, max(0, colon - 6), colon)
    slashes = _SLASHES.match(text, colon)
    if scheme is None or slashes is None:
        return None
    begin = scheme.start()
    if _WRAPPED.search(text, max(0, begin - 13), begin):
        inside = _TO_BRACKET.match(text, begin)
        if inside is not None and all(line and " " not in line for line in map(str.strip, inside[0].split("\n"))):
            return Address(_WHITE.sub("", inside[0])[:MAX_LENGTH], inside.end())
    return _continued(text, begin)


def _with_dot(text: str, dot: int, low: int) -> Address | None:
    """ "www." with anything behind it, or a name whose suffix is well known."""
    if _WWW.search(text, max(0, dot - 4), dot):
        address = _continued(text, dot - 3)
        return Address("http://" + address.target, address.end) if "." in address.target[4:] else None
    suffix = _SUFFIX.match(text, dot)
    return _bare(text, dot, suffix.end(), low) if suffix is not None else None


def _continued(text: str, begin: int) -> Address:
    """From `begin` to the blank, without the sentence's own signs; over the end of a wrapped line."""
    rest = _REST.match(text, begin)
    end = rest.end() if rest else begin
    raw = text[begin:end]
    more = _wrapped_end(text, end)
    if more > end:
        raw, end = raw + text[more - len(text[end:more].lstrip()) : more], more
    trimmed = _trimmed(raw)
    return Address(trimmed[:MAX_LENGTH], end - (len(raw) - len(trimmed)))


def _wrapped_end(text: str, end: int) -> int:
    """The end of the next line's first word, where the line that ends at `end` was wrapped in an address: it is long,
    and the next line is that word alone. Else `end`."""
    line = text[max(0, end - 200) : end].rpartition("\n")[2]
    if len(line) < WRAPPED_FROM or " " in line.strip() or not text.startswith(("\n", "\r\n"), end):
        return end
    begin = text.find("\n", end) + 1
    rest = _REST.match(text, begin)
    stop = rest.end() if rest else begin
    word = text[begin:stop]
    alone = stop == len(text) or text[stop] in "\r\n"
    if not word or not alone or "://" in word or not set("/?&=%.-_") & set(word):
        return end
    return stop


def _bare(text: str, dot: int, end: int, low: int) -> Address | None:
    """A name without a scheme: what stands before the suffix between `dot` and `end`, and a path behind."""
    begin = _name_begins(text, max(low, dot - 253), dot)
    if begin == dot or (begin and (text[begin - 1] in _BEFORE or text[begin - 1].isalnum())):
        return None
    name = text[begin:end]
    if text.startswith(("/", ":", "?"), end):
        rest = _REST.match(text, end)
        tail = _trimmed(text[end : rest.end() if rest else end])
        if tail[:1] in "/?" or tail[1:2].isdigit():
            name, end = name + tail, end + len(tail)
    return Address(("http://" + name)[:MAX_LENGTH], end)


def _name_begins(text: str, low: int, high: int) -> int:
    """Where the host characters begin that end at `high`; `high` where there are none."""
    begin = high
    while begin > low and text[begin - 1] in _HOST and not (text[begin - 1] == "." == text[begin]):
        begin -= 1
    while begin < high and text[begin] in ".-":
        begin += 1
    return begin


def _trimmed(raw: str) -> str:
    """`raw` without punctuation at its end; a bracket goes where none opened inside."""
    for _ in range(MAX_TRIMMED):
        last = raw[-1:]
        if last in _CLOSERS:
            if raw.count(_CLOSERS[last]) >= raw.count(last):
                break
        elif not last or last not in ".,;:!?'*_|…’`":
            break
        raw = raw[:-1]
    return raw
