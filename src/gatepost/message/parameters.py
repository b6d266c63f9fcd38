"""Content-Type and Content-Disposition: a value and its parameters, as senders write them.

In: a field's text. Out: `Parameterized`, `ContentType` and `Disposition`, with every reading that some reader may have.
Standard: RFC 2045 §5.1 (grammar, defaults), RFC 2183 (disposition), RFC 2231 §3 and §4 (continuations, charsets).
Where RFC 2231's form and the plain one differ, the former is taken and the latter kept in `others`.
Not here: the parts (`mime`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from gatepost.message.charsets import decode_field, decode_text
from gatepost.message.tokens import comment_end, unquote
from gatepost.message.words import read_words

MAX_PARAMETERS = 200  # RFC 2231 continuations of a long name take a dozen
_MAX_SECTIONS = 100

_SPACE = " \t\r\n"
_HEAD = re.compile(r"[^; \t\r\n(\"]*+")
_NAME = re.compile(r"[^ \t\r\n=;\"()]{1,128}+")
_QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_BARE = re.compile(r"[^; \t\r\n]*+")
_NEXT = re.compile(r"[A-Za-z][\w*-]{0,40}=")
_TYPE = re.compile(r"([!#$%&'*+.^_`{|}~\w-]{1,127})/([!#$%&'*+.^_`{|}~\w-]{1,127})", re.ASCII)
# RFC 2231 §7: attribute ["*" section] ["*"]
_SECTIONED = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")
_FILE_NAMES = ("filename", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameterized:
    """A value and parameters with lower-case names, decoded. `others` are the values that were not taken (duplicates,
    plain forms beside RFC 2231's), as (name, value).

    `defects`: "duplicate-parameter", "differing-parameter" (plain and RFC 2231 form say different things),
    "missing-semicolon", "unquoted-blank", "unclosed-quote", "text-after-value", "bad-parameter",
    "too-many-parameters", "encoded-word-in-parameter", "missing-section", and those of `words` and `charsets`.
    """

    value: str
    parameters: dict[str, str] = field(default_factory=dict)
    others: tuple[tuple[str, str], ...] = ()
    defects: tuple[str, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The parameter called `name` (lower case), or `default`."""
        return self.parameters.get(name, default)

    def all(self, name: str) -> tuple[str, ...]:
        """Every reading of the parameter called `name`, the one that was taken first."""
        taken = (self.parameters[name],) if name in self.parameters else ()
        return taken + tuple(value for other, value in self.others if other == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentType(Parameterized):
    """`value` is "type/subtype" in lower case; "text/plain" with the defect "bad-content-type" when it is none."""

    @property
    def maintype(self) -> str:
        """The part before the slash."""
        return self.value.partition("/")[0]

    @property
    def subtype(self) -> str:
        """The part after the slash."""
        return self.value.partition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition(Parameterized):
    """`value` is "inline", "attachment" or another token in lower case."""


def parse_content_type(value: str | bytes) -> ContentType:
    """Reads a Content-Type. Total: what has no type is text/plain (RFC 2045 §5.2), with the defect."""
    read = parse_parameterized(value)
    defects = read.defects
    match = _TYPE.fullmatch(read.value)
    if match is None:
        match = _TYPE.match(read.value)
        defects = (*defects, "bad-content-type")
    kind = match[0].lower() if match else "text/plain"
    return ContentType(value=kind, parameters=read.parameters, others=read.others, defects=defects)


def parse_content_disposition(value: str | bytes) -> Disposition:
    """Reads a Content-Disposition. An unknown disposition is treated as attachment by callers (RFC 2183 §2.8)."""
    read = parse_parameterized(value)
    return Disposition(value=read.value, parameters=read.parameters, others=read.others, defects=read.defects)


# What nine fields of ten look like: no comments, quoted-pairs, RFC 2231 forms or encoded-words, nothing missing.
_SIMPLE_PAIR = r'; *+([A-Za-z][A-Za-z0-9_-]*+)=(?:"([^"\\\r\n]*+)"|([A-Za-z0-9!#$&+.^_`{|}~/:-]++)(?=;|\Z)) *+'
_SIMPLE = re.compile(rf"([A-Za-z0-9.+/-]++) *+((?:{_SIMPLE_PAIR})*+)")
_SIMPLE_PAIRS = re.compile(_SIMPLE_PAIR)


def parse_parameterized(value: str | bytes) -> Parameterized:
    """Reads `value *(";" name "=" value)`. Total and linear."""
    text = value if isinstance(value, str) else decode_field(value)
    simple = _SIMPLE.fullmatch(text)
    if simple is not None and "=?" not in text:
        pairs = _SIMPLE_PAIRS.findall(simple[2])
        parameters = {name.lower(): quoted or bare for name, quoted, bare in pairs}
        if len(parameters) == len(pairs) <= MAX_PARAMETERS:
            return Parameterized(value=simple[1].lower(), parameters=parameters)
    reader = _Reader(text)
    head = reader.head()
    pairs = reader.pairs()
    return _assembled(head.lower(), pairs, reader.defects)


class _Reader:
    """Walks the text once. Each method starts and ends between two pieces."""

    __slots__ = ("at", "defects", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.defects: dict[str, None] = {}

    def blanks(self) -> None:
        """Skips white space and comments (RFC 2045 §5.1 allows them between tokens)."""
        text = self.text
        while self.at < len(text):
            if text[self.at] in _SPACE:
                self.at += 1
            elif text[self.at] == "(":
                self.at = comment_end(text, self.at) or len(text)
            else:
                return

    def head(self) -> str:
        self.blanks()
        match = _HEAD.match(self.text, self.at)
        head = match[0] if match else ""
        self.at += len(head)
        self.blanks()
        if self.text[self.at : self.at + 1] not in ("", ";"):
            # "text/plain charset=x" lost its semicolon; anything else is skipped
            if _NEXT.match(self.text, self.at):
                self.defects["missing-semicolon"] = None
            else:
                self.defects["text-after-value"] = None
                end = self.text.find(";", self.at)
                self.at = len(self.text) if end < 0 else end
        return head

    def pairs(self) -> list[tuple[str, str, bool]]:
        """(name in lower case, value, was it quoted), as they come."""
        found: list[tuple[str, str, bool]] = []
        while self.at < len(self.text):
            while self.at < len(self.text) and self.text[self.at] in " \t\r\n;":
                self.at += 1
            self.blanks()
            if self.at >= len(self.text) or self.text[self.at] == ";":
                continue
            if len(found) >= MAX_PARAMETERS:
                self.defects["too-many-parameters"] = None
                break
            name = _NAME.match(self.text, self.at)
            self.at = name.end() if name else self.at
            self.blanks()
            if name is None or self.text[self.at : self.at + 1] != "=":
                self.defects["bad-parameter"] = None
                self.skip()
                continue
            self.at += 1
            self.blanks_only()
            value, quoted = self.value(name[0].lower())
            found.append((name[0].lower(), value, quoted))
        return found

    def skip(self) -> None:
        end = self.text.find(";", self.at)
        self.at = len(self.text) if end < 0 else end

    def blanks_only(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1

    def value(self, name: str) -> tuple[str, bool]:
        if self.text[self.at : self.at + 1] == '"':
            match = _QUOTED.match(self.text, self.at)
            if match is None:
                self.defects["unclosed-quote"] = None
                start = self.at + 1
                self.skip()
                return self.text[start : self.at].strip(_SPACE), True
            self.at = match.end()
            self.after_quoted()
            # a Windows path in a file name is no row of quoted-pairs
            return _unquote_path(match[1]) if name.startswith(_FILE_NAMES) else unquote(match[1]), True
        return self.bare(name), False

    def after_quoted(self) -> None:
        self.blanks()
        if self.text[self.at : self.at + 1] not in ("", ";"):
            if _NEXT.match(self.text, self.at):
                self.defects["missing-semicolon"] = None
            else:
                self.defects["text-after-value"] = None
                self.skip()

    def bare(self, name: str) -> str:
        """A token, or what stands for one: file names with blanks and parentheses are read to the semicolon."""
        words: list[str] = []
        while True:
            match = _BARE.match(self.text, self.at)
            words.append(match[0] if match else "")
            self.at += len(words[-1])
            self.blanks_only()
            rest = self.text[self.at : self.at + 1]
            if rest in ("", ";"):
                break
            if _NEXT.match(self.text, self.at):
                self.defects["missing-semicolon"] = None
                break
            if not name.startswith(_FILE_NAMES):
                self.blanks()
                if self.text[self.at : self.at + 1] not in ("", ";"):
                    self.defects["text-after-value"] = None
                    self.skip()
                break
            self.defects["unquoted-blank"] = None
        return " ".join(words)


def _unquote_path(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\") if "\\" in text else text


def _assembled(head: str, pairs: list[tuple[str, str, bool]], defects: dict[str, None]) -> Parameterized:
    """Plain parameters, then RFC 2231's over them."""
    taken: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value, _quoted in pairs:
        match = _SECTIONED.fullmatch(name) if "*" in name else None
        if match is None or not (match[2] or match[3]):
            text = value if name == "boundary" else _plain(value, defects)
            if name in taken:
                defects["duplicate-parameter"] = None
                others.append((name, text))
            else:
                taken[name] = text
            continue
        rows = sections.setdefault(match[1], {})
        number = int(match[2] or 0)
        if number in rows:
            defects["duplicate-parameter"] = None
            others.append((match[1], value))
        elif len(rows) < _MAX_SECTIONS:
            rows[number] = (value, match[3] is not None)
    for name, rows in sections.items():
        text = _joined(rows, defects)
        if name in taken:
            if taken[name] != text:
                defects["differing-parameter"] = None
            others.append((name, taken[name]))
        taken[name] = text
    return Parameterized(value=head, parameters=taken, others=tuple(others), defects=tuple(defects))


def _plain(value: str, defects: dict[str, None]) -> str:
    """RFC 2047 §5 forbids encoded-words here, half the world writes them."""
    if "=?" not in value:
        return value
    text, word_defects = read_words(value)
    if text != value:
        defects["encoded-word-in-parameter"] = None
        defects.update(dict.fromkeys(word_defects))
    return text


def _joined(rows: dict[int, tuple[str, bool]], defects: dict[str, None]) -> str:
    """RFC 2231 §3 and §4: sections by number, up to the first that is missing; the first one names the charset."""
    octets: list[bytes] = []
    charset = ""
    for position, number in enumerate(sorted(rows)):
        value, encoded = rows[number]
        if number != position:
            defects["missing-section"] = None
            break
        if encoded:
            if not number and value.count("'") >= 2:
                charset, _, value = value.split("'", 2)
            octets.append(unquote_to_bytes(value))
        else:
            octets.append(value.encode("utf-8", "surrogateescape"))
    text, defect = decode_text(b"".join(octets), charset)
    if defect:
        defects[defect] = None
    return text
