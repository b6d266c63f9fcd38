"""Reads the body of an Authentication-Results field, the proper and the real ones.

In: the field body, octets or text. Out: `AuthenticationResults`; what is wrong with it is in `defects`. Total, linear.
Standard: RFC 8601 §2.2 (ABNF); RFC 8617 §4.1.1 (the same body behind `i=…;` in ARC).
Not here: whether to believe it (`select`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatepost.message.tokens import Kind, Token, tokenize
from gatepost.msgauth.authres.result import AuthenticationResults, MethodResult, Property

MAX_LENGTH = 20_000  # characters; the longest in the corpora has 1,800
MAX_RESULTS = 100
MAX_PROPERTIES = 50


def parse_authentication_results(body: bytes | str) -> AuthenticationResults:
    """Reads a field body, folded or not. Providers that leave out the authserv-id or end with a semicolon are read."""
    text = _text(body)
    defects: dict[str, None] = {}
    if len(text) > MAX_LENGTH:
        defects["too-long"] = None
        text = text[:MAX_LENGTH]
    tokens, wrong = tokenize(text)
    defects.update(dict.fromkeys(wrong))
    segments = list(_segments(tokens))
    authserv_id, version = "", 1
    if segments and "=" not in "".join(word for word, _ in _words(segments[0])):
        authserv_id, version = _authserv_id(segments.pop(0), defects)
    if not authserv_id:
        defects["no-authserv-id"] = None
    if len(segments) > MAX_RESULTS:
        defects["too-many-results"] = None
    results = [_result(segment, defects) for segment in segments[:MAX_RESULTS]]
    return AuthenticationResults(
        authserv_id=authserv_id,
        version=version,
        results=tuple(result for result in results if result is not None),
        defects=tuple(defects),
    )


def _text(body: bytes | str) -> str:
    if isinstance(body, str):
        return body
    try:
        return body[: 4 * MAX_LENGTH].decode("utf-8")
    except UnicodeDecodeError:
        return body[: MAX_LENGTH + 1].decode("latin-1")


def _segments(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens between semicolons."""
    segment: list[Token] = []
    for token in tokens:
        if token.kind is Kind.SPECIAL and token.text == ";":
            yield segment
            segment = []
        else:
            segment.append(token)
    yield segment


def _words(segment: Sequence[Token]) -> list[tuple[str, bool]]:
    """Runs of tokens without white space or comments between them, unquoted; whether they begin with a quote. White
    space and comments around a "/" or a "." that stands alone do not part words (RFC 8601 §2.2 has CFWS there)."""
    words: list[tuple[str, bool]] = []
    pieces: list[str] = []
    quoted = glue = False
    for token in segment:
        if token.kind not in (Kind.SPACE, Kind.COMMENT):
            quoted = quoted or (not pieces and token.kind is Kind.QUOTED)
            pieces.append(token.content)
        elif pieces:
            glue = _put_word(words, "".join(pieces), quoted, glue)
            pieces, quoted = [], False
    if pieces:
        _put_word(words, "".join(pieces), quoted, glue)
    return words


def _put_word(words: list[tuple[str, bool]], word: str, quoted: bool, glue: bool) -> bool:
    """Adds a word, to the one before where `glue` says so; returns whether the next belongs to it too."""
    alone = not quoted and word in {"/", "."}
    if words and (glue or alone):
        before, was_quoted = words[-1]
        words[-1] = (before + word, was_quoted)
    else:
        words.append((word, quoted))
    return alone


def _authserv_id(segment: Sequence[Token], defects: dict[str, None]) -> tuple[str, int]:
    """authserv-id [ CFWS authres-version ]."""
    words = [word for word, _ in _words(segment)]
    if not words:
        return "", 1
    version = 1
    if len(words) == 2 and words[1].isascii() and words[1].isdigit() and len(words[1]) < 6:
        version = int(words[1])
    elif len(words) > 1:
        defects["bad-version"] = None
    return words[0], version


def _pairs(segment: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """`key=value`, with or without white space around the sign; a word without one is ("word", "")."""
    key, waiting = "", False  # waiting: the sign has come, the value has not
    for word, quoted in _words(segment):
        left, sign, right = (word, "", "") if quoted else word.partition("=")
        if waiting:
            yield key, word
            key, waiting = "", False
        elif not left and sign:  # white space before the sign; the key stands waiting
            if right:
                yield key, right
                key = ""
            else:
                waiting = True
        else:
            if key:
                yield key, ""
            key = ""
            if sign and right:
                yield left, right
            else:
                key, waiting = left, bool(sign)
    if key or waiting:
        yield key, ""


def _result(segment: Sequence[Token], defects: dict[str, None]) -> MethodResult | None:
    """resinfo: methodspec, then reason and properties; None for `none` and for an empty segment."""
    pairs = list(_pairs(segment))
    if not pairs or pairs == [("none", "")]:
        return None
    method, result = pairs[0]
    method, _, number = method.lower().partition("/")
    if not method or not result:
        defects["bad-result"] = None
        return None
    reason, properties = "", []
    for key, value in pairs[1 : MAX_PROPERTIES + 1]:
        ptype, dot, name = key.lower().partition(".")
        if not value and not dot:
            defects["bad-property"] = None
        elif key.lower() == "reason" and not reason:
            reason = value
        else:
            properties.append(Property(ptype=ptype if dot else "", name=name if dot else ptype, value=value))
    return MethodResult(
        method=method,
        result=result.lower(),
        version=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
        reason=reason,
        properties=tuple(properties),
        comments=tuple(token.content for token in segment if token.kind is Kind.COMMENT),
    )
