"""The lexical tokens of structured fields: white space, comments, quoted strings, literals, atoms and specials.

In: a structured field's unfolded text. Out: `Token`s that together are the text, and defect codes.
Standard: RFC 5322 §3.2 (lexical tokens) and §4.1 (obsolete forms), RFC 6532 §3.2 (UTF-8 in atoms).
Not here: the grammars built of them (`addresses`, `parameters`, `received`).
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

MAX_TOKENS = 100_000  # a header of 1 MB cannot hold more that mean anything


class Kind(enum.IntEnum):
    """What a token is. A special is one character of its own."""

    ATOM = 0
    SPECIAL = 1
    SPACE = 2
    COMMENT = 3
    QUOTED = 4
    LITERAL = 5


class Token(NamedTuple):
    """A kind, and its text as written (quotes, brackets and parentheses included)."""

    kind: Kind
    text: str

    @property
    def content(self) -> str:
        """The text without delimiters and quoting backslashes; literals keep their brackets."""
        if self.kind in (Kind.QUOTED, Kind.COMMENT):
            return unquote(self.text[1:-1])
        return self.text


# One alternative per kind, each a run that cannot overlap the next: no backtracking beyond one run.
_PLAIN = re.compile(
    r"([ \t\r\n]+)"
    r'|("[^"\\]*+(?:\\.[^"\\]*+)*+")'
    r"|(\[[^\[\]\\]*+(?:\\.[^\[\]\\]*+)*+\])"
    r'|([^ \t\r\n()<>\[\]:;@\\,."]+)'
    r"|(.)",
    re.DOTALL,
)
_KINDS = (Kind.ATOM, Kind.SPACE, Kind.QUOTED, Kind.LITERAL, Kind.ATOM, Kind.SPECIAL)
_IN_COMMENT = re.compile(r"[^()\\]+|\\.|[()]|\\$", re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)


def unquote(text: str) -> str:
    """Quoted-pairs undone (RFC 5322 §3.2.1)."""
    return _PAIR.sub(r"\1", text) if "\\" in text else text


def tokenize(text: str) -> tuple[list[Token], tuple[str, ...]]:
    """The tokens of `text`, and defects: "unclosed-comment", "unclosed-quote", "unclosed-literal", "too-many-tokens".

    An opening that is never closed becomes a special of its own, and so do all later ones of its sort, so that
    the search for an end fails at most once for each sort.
    """
    tokens: list[Token] = []
    defects: dict[str, None] = {}
    unclosed: set[str] = set()
    position, length = 0, len(text)
    while position < length:
        if len(tokens) >= MAX_TOKENS:
            defects["too-many-tokens"] = None
            break
        first = text[position]
        end = 0
        if first in '("[' and first not in unclosed:
            end = comment_end(text, position) if first == "(" else _plain_end(text, position)
            if not end:
                unclosed.add(first)
                defects[_UNCLOSED[first]] = None
            else:
                tokens.append(Token(_DELIMITED[first], text[position:end]))
        elif first not in '("[':
            match = _PLAIN.match(text, position)
            if match is not None:
                end = match.end()
                tokens.append(Token(_KINDS[match.lastindex or 0], match[0]))
        if not end:
            end = position + 1
            tokens.append(Token(Kind.SPECIAL, first))
        position = end
    return tokens, tuple(defects)


_UNCLOSED = {"(": "unclosed-comment", '"': "unclosed-quote", "[": "unclosed-literal"}
_DELIMITED = {"(": Kind.COMMENT, '"': Kind.QUOTED, "[": Kind.LITERAL}


def _plain_end(text: str, start: int) -> int:
    """Where the quoted string or literal that opens at `start` ends, 0 when it does not."""
    match = _PLAIN.match(text, start)
    return match.end() if match is not None and match.lastindex in (2, 3) else 0


def comment_end(text: str, start: int) -> int:
    """Where the comment that opens at `start` ends, 0 when it does not. Nesting is counted, not recursed into."""
    depth = 0
    for match in _IN_COMMENT.finditer(text, start):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return match.end()
    return 0
