"""A URL read as browsers read it, which is far more tolerant than RFC 3986.

In: the text of a link, any. Out: `Url`: its parts as they would be used, and what was odd. Never raises; linear;
text beyond `MAX_URL` is not looked at.
Standard: the WHATWG URL Standard §4.4 (backslashes, tabs and line ends inside, missing slashes), RFC 3986 §3,
RFC 6068 (mailto), RFC 2397 (data).
Not here: the host's many forms (`host`), whom it belongs to (`domain`), what is made of it (`rules.links`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache

from gatepost.inspector.links.host import INVISIBLE, NO_HOST, Host, HostMark, parse_host, percent_decode

MAX_URL = 4096  # characters; browsers take two million, people and redirectors far fewer
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}):")
_DROPPED = re.compile(r"[\t\n\r]")  # removed anywhere, by browsers
_EDGES = "".join(map(chr, range(0x21)))  # C0 controls and space, at both ends
_SPECIAL = frozenset(("http", "https", "ftp", "ws", "wss"))
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}
_END = re.compile(r"[/\\?#]")
_SLASHES = re.compile(r"[/\\]*")


class UrlMark(enum.StrEnum):
    """What is odd about a URL, besides its host."""

    USER_INFO = "user-info"  # something before an @, which reads like the host
    BACKSLASH = "backslash"  # taken for a slash by browsers and not by others
    LINE_END = "line-end"  # tab or line end inside, which browsers drop
    INVISIBLE = "invisible"  # characters that do not show
    SLASHES = "slashes"  # more or fewer than two after the scheme
    CUT = "cut"  # longer than is looked at
    BAD_PORT = "bad-port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """`scheme` is in lower case and empty for a relative reference. `port` is None for the scheme's own. `user` is
    decoded user-info, `path` starts with "/" where there is a host and is otherwise what follows the scheme (the
    address of a mailto, the body of a data URL). `path`, `query` and `fragment` are as written."""

    text: str
    scheme: str = ""
    host: Host = NO_HOST
    port: int | None = None
    user: str = ""
    path: str = ""
    query: str = ""
    fragment: str = ""
    marks: frozenset[UrlMark] = frozenset()

    @property
    def is_web(self) -> bool:
        """Whether a browser fetches it and a host is named."""
        return bool(self.host.ascii) and self.scheme in ("http", "https", "ftp")

    @property
    def clean(self) -> bool:
        """Whether the host is one that could be looked up."""
        return HostMark.BAD not in self.host.marks


@lru_cache(maxsize=4096)
def parse_url(text: str) -> Url:
    """What a browser would make of `text`."""
    marks: set[UrlMark] = set()
    if len(text) > MAX_URL:
        text = text[:MAX_URL]
        marks.add(UrlMark.CUT)
    written = text.strip(_EDGES)
    if _DROPPED.search(written):
        marks.add(UrlMark.LINE_END)
        written = _DROPPED.sub("", written)
    if not written.isascii() and INVISIBLE.search(written):
        marks.add(UrlMark.INVISIBLE)
        written = INVISIBLE.sub("", written[:8]) + written[8:]  # before the scheme they only hide it from filters
    found = _SCHEME.match(written)
    if found is None:
        return _relative(text, written, marks)
    scheme, rest = found[1].lower(), written[found.end() :]
    if scheme not in _SPECIAL:
        return _opaque(text, scheme, rest, marks)
    return _with_host(text, scheme, rest, marks)


def _with_host(text: str, scheme: str, rest: str, marks: set[UrlMark]) -> Url:
    slashes = _SLASHES.match(rest)
    lead = slashes[0] if slashes else ""
    if lead != "//":
        marks.add(UrlMark.BACKSLASH if "\\" in lead else UrlMark.SLASHES)
    rest = rest[len(lead) :]
    end = _END.search(rest)
    at = end.start() if end else len(rest)
    authority, tail = rest[:at], rest[at:]
    user, sign, place = authority.rpartition("@")
    if sign and user.strip(":"):
        marks.add(UrlMark.USER_INFO)
    host_text, port = _port(place, marks)
    path, query, fragment = _tail(tail)
    if "\\" in path:
        marks.add(UrlMark.BACKSLASH)
        path = path.replace("\\", "/")
    if port == _DEFAULT_PORTS[scheme]:
        port = None
    host = parse_host(host_text)
    return Url(
        text=text,
        scheme=scheme,
        host=host,
        port=port,
        user=percent_decode(user),
        path=path or "/",
        query=query,
        fragment=fragment,
        marks=frozenset(marks),
    )


def _port(place: str, marks: set[UrlMark]) -> tuple[str, int | None]:
    """The host's text and the port's number."""
    start = place.rfind("]") + 1
    host, colon, digits = place[start:].partition(":")
    host = place[:start] + host
    if not colon or not digits:
        return host, None
    if digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) < 65536:
        return host, int(digits)
    marks.add(UrlMark.BAD_PORT)
    return host, None


def _tail(tail: str) -> tuple[str, str, str]:
    before, _, fragment = tail.partition("#")
    path, _, query = before.partition("?")
    return path, query, fragment


def _relative(text: str, written: str, marks: set[UrlMark]) -> Url:
    """No scheme: "//host/path" takes that of what it stands in, anything else has no host of its own."""
    if written[:2].replace("\\", "/") == "//":
        return _with_host(text, "https", written, marks)
    path, query, fragment = _tail(written)
    return Url(text=text, path=path, query=query, fragment=fragment, marks=frozenset(marks))


def _opaque(text: str, scheme: str, rest: str, marks: set[UrlMark]) -> Url:
    """mailto:, data:, javascript:, tel:, cid: and whatever a program registered; a host only where one is written."""
    if scheme in ("data", "javascript", "vbscript"):
        return Url(text=text, scheme=scheme, path=rest, marks=frozenset(marks))
    path, query, fragment = _tail(rest)
    if path[:2] == "//" and scheme not in ("mailto", "cid", "mid", "tel", "sms"):
        place, _, path = path[2:].partition("/")
        host_text, port = _port(place.rpartition("@")[2], marks)
        host = parse_host(host_text)
        return Url(
            text=text, scheme=scheme, host=host, port=port, path="/" + path, query=query, fragment=fragment,
            marks=frozenset(marks),
        )  # fmt: skip
    return Url(text=text, scheme=scheme, path=path, query=query, fragment=fragment, marks=frozenset(marks))
