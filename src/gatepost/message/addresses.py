"""Address lists as real mail writes them: From, To, Reply-To, Sender … to mailboxes, with what was wrong.

In: a field's text or value. Out: `AddressList` of `Mailbox`es, groups flattened and named on each mailbox.
Standard: RFC 5322 §3.4 (mailbox, group) and §4.4 (obsolete forms, routes), RFC 6532 (UTF-8), RFC 2047 §5
(encoded-words in phrases). Where readers differ, every address that one of them would show is in the list.
Not here: whether one address is valid by which standard (`addr_spec`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.message.addr_spec import AddrSpec
from gatepost.message.charsets import decode_field
from gatepost.message.tokens import Kind, Token, tokenize
from gatepost.message.words import read_words

MAX_MAILBOXES = 5000  # above any real list; Gmail takes 500 recipients, Exchange 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One mailbox. `display_name` is decoded (empty when there is none), `addr_spec` is empty when the text holds
    no address, `raw` is the text as written, `group` the group's name it stood in.

    `defects`: "no-address", "no-angle", "several-angles", "several-at", "unclosed-angle", "text-after-angle",
    "blank-in-address", "comment-in-address", "stray-bracket", "route", "encoded-word-in-quotes", and those of `words`.
    """

    display_name: str
    addr_spec: AddrSpec
    raw: str
    defects: tuple[str, ...] = ()
    group: str | None = None

    @property
    def address(self) -> str:
        """local-part@domain, or the empty string."""
        return str(self.addr_spec)

    @property
    def domain(self) -> str:
        """The domain in lower case without a trailing dot, or the empty string."""
        return self.addr_spec.domain.lower().rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressList:
    """The mailboxes in order. `defects` concern the list: those of `tokens`, "unclosed-group", "nested-group",
    "semicolon-for-comma", "too-many-mailboxes"."""

    mailboxes: tuple[Mailbox, ...]
    groups: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that are there, in order."""
        return tuple(box.address for box in self.mailboxes if box.addr_spec.domain or box.addr_spec.local_part)


_NO_ADDRESS = AddrSpec("", "")

_UNUSUAL = re.compile(r"[(:;\\\[\]\t\r\n]|<@")
_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-"
_ADDRESS = rf"([{_ATEXT}]++(?:\.[{_ATEXT}]++)*+)@([{_ATEXT}]++(?:\.[{_ATEXT}]++)*+)"
_SIMPLE = re.compile(rf' *+(?:(?:"([^"]*+)" *+|([{_ATEXT}. ]*+))<{_ADDRESS}>|{_ADDRESS}) *+(,?)')


def parse_addresses(value: str | bytes) -> AddressList:
    """Reads an address-list. Total and linear: any text gives a list."""
    text = value if isinstance(value, str) else decode_field(value)
    return _simple(text) or _read(text)


def _simple(text: str) -> AddressList | None:
    """The list if all in it is as simple as in nine fields of ten: no comments, groups, quoted-pairs, literals or
    routes. Gives the same as `_read`, in a tenth of the time; None for the rest."""
    if _UNUSUAL.search(text):
        return None
    found: list[Mailbox] = []
    position = 0
    while position < len(text):
        match = _SIMPLE.match(text, position)
        if match is None or len(found) >= MAX_MAILBOXES:
            return None
        quoted, name, named_local, named_domain, local, domain, end = match.groups()
        if "  " in match[0] or (not end and match.end() < len(text)):
            return None
        if quoted is None:
            name, defects = read_words((name or "").strip(" "))
        elif "=?" in quoted or quoted != quoted.strip(" "):
            return None
        else:
            name, defects = quoted, ()
        spec = AddrSpec(named_local or local, named_domain or domain)
        raw = match[0].rstrip(" ,").lstrip(" ")
        found.append(Mailbox(display_name=name, addr_spec=spec, raw=raw, defects=defects))
        position = match.end()
    return AddressList(mailboxes=tuple(found))


def _read(text: str) -> AddressList:
    """Any list, token by token."""
    tokens, defects = tokenize(text)
    reader = _ListReader()
    reader.defects.update(dict.fromkeys(defects))
    for token in tokens:
        if len(reader.mailboxes) >= MAX_MAILBOXES:
            reader.defects["too-many-mailboxes"] = None
            break
        reader.take(token)
    reader.close()
    return AddressList(mailboxes=tuple(reader.mailboxes), groups=tuple(reader.groups), defects=tuple(reader.defects))


class _ListReader:
    """Cuts the tokens at the commas of the list: those outside angle brackets, and outside routes within."""

    def __init__(self) -> None:
        self.mailboxes: list[Mailbox] = []
        self.groups: list[str] = []
        self.defects: dict[str, None] = {}
        self.group: str | None = None
        self.piece: list[Token] = []
        self.in_angle = False
        self.in_route = False
        self.at_seen = False

    def take(self, token: Token) -> None:
        mark = token.text if token.kind is Kind.SPECIAL else ""
        if mark == "<":
            self.in_angle, self.in_route = True, False
        elif mark == ">":
            self.in_angle = self.in_route = False
        elif mark == "@":
            self.at_seen = True
            self.in_route = self.in_route or (self.in_angle and self.piece[-1].text == "<")
        elif mark == ":" and self.in_route:
            self.in_route = False
        elif mark == "," and not self.in_route:
            return self.end_piece()
        elif mark == ":" and not self.in_angle and not self.at_seen:
            return self.open_group()
        elif mark == ";" and not self.in_route:
            return self.close_group()
        self.piece.append(token)
        return None

    def open_group(self) -> None:
        if self.group is not None:
            self.defects["nested-group"] = None
        self.group = _phrase(self.piece)[0]
        self.groups.append(self.group)
        self.piece = []

    def close_group(self) -> None:
        self.end_piece()
        if self.group is None:
            self.defects["semicolon-for-comma"] = None
        self.group = None

    def end_piece(self) -> None:
        piece, self.piece = self.piece, []
        self.in_angle = self.in_route = self.at_seen = False
        if any(token.kind is not Kind.SPACE for token in piece):
            self.mailboxes += _read_piece(piece, self.group)

    def close(self) -> None:
        self.end_piece()
        if self.group is not None:
            self.defects["unclosed-group"] = None


def _read_piece(piece: list[Token], group: str | None) -> list[Mailbox]:
    """The mailboxes of what stands between two commas: one, or one for each pair of angle brackets."""
    raw = "".join(token.text for token in piece).strip()
    opens = [index for index, token in enumerate(piece) if token.kind is Kind.SPECIAL and token.text == "<"]
    if not opens:
        return [_bare(piece, raw, group)]
    found: list[Mailbox] = []
    name_start = 0
    for number, start in enumerate(opens):
        limit = opens[number + 1] if number + 1 < len(opens) else len(piece)
        defects: dict[str, None] = {"several-angles": None} if len(opens) > 1 else {}
        end = next((i for i in range(start + 1, limit) if piece[i].kind is Kind.SPECIAL and piece[i].text == ">"), 0)
        if not end:
            defects["unclosed-angle"] = None
        elif number + 1 == len(opens) and any(t.kind not in _BLANK for t in piece[end + 1 :]):
            defects["text-after-angle"] = None
        name, name_defects = _phrase(piece[name_start:start])
        defects.update(dict.fromkeys(name_defects))
        spec = _address(piece[start + 1 : end or limit], defects)
        found.append(Mailbox(display_name=name, addr_spec=spec, raw=raw, defects=tuple(defects), group=group))
        name_start = (end or limit - 1) + 1
    return found


_BLANK = (Kind.SPACE, Kind.COMMENT)


def _bare(piece: list[Token], raw: str, group: str | None) -> Mailbox:
    """A mailbox without angle brackets: an address, perhaps with a name in a comment behind it (RFC 822's way), or
    with words before it, or no address at all."""
    defects: dict[str, None] = {}
    if any(token.kind is Kind.SPECIAL and token.text == ">" for token in piece):
        defects["stray-bracket"] = None
        piece = [token for token in piece if token.kind is not Kind.SPECIAL or token.text != ">"]
    at = next((i for i, token in enumerate(piece) if token.kind is Kind.SPECIAL and token.text == "@"), None)
    if at is None:
        name, name_defects = _phrase(piece)
        if not name:  # "From: (name in a comment)"
            name, name_defects = _comments(piece)
        defects.update(dict.fromkeys(("no-address", *name_defects)))
        return Mailbox(display_name=name, addr_spec=_NO_ADDRESS, raw=raw, defects=tuple(defects), group=group)
    start, end = _around(piece, at)
    spec = _address(piece[start:end], defects)
    rest = [*piece[:start], *piece[end:]]
    if any(token.kind not in _BLANK for token in rest):
        defects["no-angle"] = None
        name, name_defects = _phrase(rest)
    else:
        name, name_defects = _comments(rest)
    defects.update(dict.fromkeys(name_defects))
    return Mailbox(display_name=name, addr_spec=spec, raw=raw, defects=tuple(defects), group=group)


def _comments(tokens: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    """What the comments say, as a display name."""
    return read_words(" ".join(token.content for token in tokens if token.kind is Kind.COMMENT).strip())


def _around(piece: Sequence[Token], at: int) -> tuple[int, int]:
    """The tokens that belong to the address around the first "@": words joined by dots and at-signs."""
    start = at
    while start and not (piece[start - 1].kind in _BLANK and not _joins(piece, start - 1)):
        start -= 1
    end = at + 1
    while end < len(piece) and not (piece[end].kind in _BLANK and not _joins(piece, end)):
        end += 1
    return start, end


def _joins(piece: Sequence[Token], index: int) -> bool:
    """Whether the blank at `index` stands beside a dot or an at-sign, so that it does not part two words."""
    before = piece[index - 1].text if index else ""
    after = piece[index + 1].text if index + 1 < len(piece) else ""
    return before in _JOINTS or after in _JOINTS


_JOINTS = frozenset((".", "@"))


def _address(tokens: Sequence[Token], defects: dict[str, None]) -> AddrSpec:
    """The address of tokens that hold nothing else: routes are dropped, the last "@" parts local part and domain."""
    inner = [token for token in tokens if token.kind not in _BLANK]
    if len(inner) < len(tokens):
        kinds = {token.kind for token in tokens[1:-1]}
        if Kind.SPACE in kinds:
            defects["blank-in-address"] = None
        if Kind.COMMENT in kinds:
            defects["comment-in-address"] = None
    if inner and inner[0].text == "@" and (colon := _index(inner, ":")) > 0:
        defects["route"] = None
        inner = inner[colon + 1 :]
    ats = [i for i, token in enumerate(inner) if token.kind is Kind.SPECIAL and token.text == "@"]
    if not ats:
        defects["no-address"] = None
        return AddrSpec("".join(token.content for token in inner), "")
    if len(ats) > 1:
        defects["several-at"] = None
    local = "".join(token.content for token in inner[: ats[-1]])
    domain = "".join(token.text for token in inner[ats[-1] + 1 :])
    if not local or not domain:
        defects["no-address"] = None
    return AddrSpec(local, domain)


def _index(tokens: Sequence[Token], mark: str) -> int:
    return next((i for i, token in enumerate(tokens) if token.kind is Kind.SPECIAL and token.text == mark), -1)


def _phrase(tokens: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    """A display name: words with blanks between, quotes undone, encoded-words decoded, comments left out.

    Encoded-words in quotes are none by RFC 2047 §5, but most readers decode them, so they are decoded and noted.
    """
    parts: list[str] = []
    defects: dict[str, None] = {}
    for token in tokens:
        if token.kind is Kind.SPACE:
            if parts and parts[-1] != " ":
                parts.append(" ")
        elif token.kind is not Kind.COMMENT:
            text = token.content
            if token.kind is Kind.QUOTED and "=?" in text:
                defects["encoded-word-in-quotes"] = None
            parts.append(text)
    text, word_defects = read_words("".join(parts).strip(" "))
    defects.update(dict.fromkeys(word_defects))
    return text, tuple(defects)
