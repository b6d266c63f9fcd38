"""Which kind of text a text is: a page, a script, a message, a shortcut, or just words.

In: a text, with the name and type it goes by. Out: a word of `kinds`. A name alone makes no script of words, but where
a system would run a text for its name (.js, .vbs, .bat), its kind is that. Standard: none.
Not here: kinds that are no text (`kinds`).
"""

from __future__ import annotations

import codecs
import re

LOOKED_AT = 1 << 16  # octets at the beginning that tell what it is
_MARKS = (  # byte order marks, longest first
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# what no text has: control characters other than blanks, form feed, escape (ISO-2022) and Ctrl-Z
_CONTROLS = bytes(octet for octet in range(32) if octet not in b"\t\n\v\f\r\x1a\x1b\x0e\x0f")
_BY_NAME = {
    "js": "script-js",
    "jse": "script-js",
    "mjs": "script-js",
    "vbs": "vbs",
    "vbe": "vbs",
    "vb": "vbs",
    "wsf": "wsf",
    "wsc": "wsf",
    "hta": "hta",
    "ps1": "ps1",
    "psm1": "ps1",
    "psd1": "ps1",
    "bat": "bat",
    "cmd": "bat",
    "sh": "script-sh",
    "bash": "script-sh",
    "command": "script-sh",
    "css": "css",
    "svg": "svg",
    "html": "html",
    "htm": "html",
    "xhtml": "html",
    "shtml": "html",
    "mht": "eml",
    "mhtml": "eml",
    "eml": "eml",
    "ics": "ics",
}
_MARKUP = frozenset(("html", "svg", "hta", "wsf"))  # of these a text must have at least one tag
_BY_TYPE = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "image/svg+xml": "svg",
    "text/css": "css",
    "text/calendar": "ics",
    "message/rfc822": "eml",
    "message/global": "eml",
    "application/javascript": "script-js",
    "text/javascript": "script-js",
    "application/x-javascript": "script-js",
    "application/hta": "hta",
    "text/vbscript": "vbs",
    "application/x-sh": "script-sh",
}
_PROSE = frozenset(  # names under which nothing is run: a patch full of JavaScript is something to read
    ("txt", "csv", "tsv", "log", "md", "rst", "patch", "diff", "json", "yaml", "yml", "toml", "ini", "conf", "tex", "c")
)
_LEADING = re.compile(r"(?:\s|\ufeff|<!--.*?-->|<\?xml.*?\?>|<!DOCTYPE\s[^>]*>)*+", re.DOTALL | re.IGNORECASE)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|script|style|table|div|iframe|form|center|font|base|a\s|img\s|p>|br)",
    re.IGNORECASE,
)
_HTML_ANYWHERE = re.compile(r"<(?:!doctype\s+html|html[\s>]|body[\s>]|script[\s>])", re.IGNORECASE)
_TAG = re.compile(r"<[!/?a-zA-Z]")
_FIELD = re.compile(r"([!-9;-~]{1,60}):[ \t]")
_MAIL_FIELDS = frozenset(
    ("from", "to", "subject", "date", "received", "message-id", "mime-version", "return-path", "content-type", "cc")
)
_SHEBANG = re.compile(r"#![ \t]*/[^\n]{0,100}")
_SIGNS = (
    ("vbs", re.compile(r"^[ \t]*+(?:Dim|Set|Sub|Function|On Error Resume Next)\b.*", re.IGNORECASE | re.MULTILINE)),
    ("vbs", re.compile(r"\bCreateObject\s*\(", re.IGNORECASE)),
    ("script-js", re.compile(r"\b(?:WScript\.|ActiveXObject\s*\()")),
    ("script-js", re.compile(r"\b(?:var|let|function)\s+\w+\s*[=(]")),
    ("ps1", re.compile(r"\b(?:Invoke-\w+|New-Object|Start-Process|IEX)\b", re.IGNORECASE)),
    ("ps1", re.compile(r"(?:^|[\s;(])\$[A-Za-z_]\w*\s*=|\$env:|\[System\.", re.MULTILINE)),
    ("bat", re.compile(r"^[ \t]*+@?echo\s+off\b", re.IGNORECASE | re.MULTILINE)),
    ("bat", re.compile(r"%~dp0|^[ \t]*+(?:set|start|cmd)\s+[/\"\w]", re.IGNORECASE | re.MULTILINE)),
)


def as_text(octets: bytes, charset: str = "") -> str | None:
    """The beginning of `octets` as text, or None for what is none. UTF-16 counts with its mark, or where every other
    octet of Western text is 0."""
    head = octets[:LOOKED_AT]
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return head[len(mark) :].decode(codec, "replace")
    if b"\x00" in head:
        return _unmarked(head)
    if len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 200:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _unmarked(head: bytes) -> str | None:
    """UTF-16 without its mark."""
    for codec, zeros, letters in (("utf-16-le", head[1::2], head[0::2]), ("utf-16-be", head[0::2], head[1::2])):
        if zeros.count(0) > len(zeros) * 9 // 10 and letters.count(0) == 0:
            return head.decode(codec, "replace")
    return None


def text_kind(text: str, *, name: str = "", declared_type: str = "") -> str:
    """The kind of `text`; "text" for words."""
    extension = name.rpartition(".")[2].strip(" .").lower() if "." in name else ""
    body = text[_LEADING.match(text).end() :]  # type: ignore[union-attr] # it matches the empty text too
    by_content = _marked_up(text, body) or _plain(text, body)
    by_name = _BY_NAME.get(extension) or _BY_TYPE.get(declared_type, "")
    if by_name in _MARKUP and _TAG.search(text) is None:
        by_name = ""
    if by_name in ("script-js", "vbs", "wsf", "hta", "ps1", "bat", "script-sh"):
        return by_name
    if by_content:
        return by_content
    if by_name:
        return by_name
    return _script(text) if name and extension not in _PROSE else "text"


def _marked_up(text: str, body: str) -> str:
    if not body.startswith("<"):
        return "html" if _HTML_ANYWHERE.search(text[:2000]) and text.count("<") > 5 else ""
    head = body[:2000].lower()
    if "<hta:application" in text.lower():
        return "hta"
    if head.startswith("<svg"):
        return "svg"
    if head.startswith(("<job", "<package")) and "<script" in head:
        return "wsf"
    # a document type that is not HTML's was skipped with what leads
    if _HTML.match(body) or re.search(r"<!doctype\s+html", text[:2000], re.IGNORECASE):
        return "html"
    return "xml" if "<?xml" in text[:200] else ("html" if _HTML_ANYWHERE.search(text[:4000]) else "")


def _plain(text: str, body: str) -> str:
    head = body[:200].upper()
    if head.startswith("BEGIN:VCALENDAR"):
        return "ics"
    if head.startswith("BEGIN:VCARD"):
        return "vcard"
    if re.match(r"\[(?:\{000214A0[^\]]*|INTERNETSHORTCUT)\]", head) or "\n[internetshortcut]" in text[:4000].lower():
        return "url"
    if head.startswith("[DESKTOP ENTRY]"):
        return "desktop"
    if head.startswith(("WINDOWS REGISTRY EDITOR", "REGEDIT4")):
        return "reg"
    if head.startswith("-----BEGIN PGP"):
        return "pgp"
    if head.startswith("{\\RT"):
        return "rtf"
    shebang = _SHEBANG.match(body)
    if shebang is not None:
        return _interpreter(shebang[0])
    return "eml" if _is_message(body) else ""


def _interpreter(line: str) -> str:
    if "python" in line:
        return "script-py"
    return "script-js" if "node" in line else "script-sh"


def _is_message(text: str) -> bool:
    """A header section with three of the fields that every message has."""
    seen = set()
    for line in text[:8000].split("\n")[:60]:
        line = line.rstrip("\r")
        if not line:
            break
        if line[0] in " \t":
            continue
        field = _FIELD.match(line + " ")
        if field is None:
            return False
        seen.add(field[1].lower())
    return len(seen & _MAIL_FIELDS) >= 3


def _script(text: str) -> str:
    """A script by its look: two different signs of the same language."""
    scores: dict[str, int] = {}
    for kind, sign in _SIGNS:
        if sign.search(text):
            scores[kind] = scores.get(kind, 0) + 1
    return next((kind for kind, score in scores.items() if score >= 2), "text")
