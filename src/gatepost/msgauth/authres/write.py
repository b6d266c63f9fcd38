"""Writes an Authentication-Results field.

In: our authserv-id and results. Out: the folded field, or its body alone (for ARC). Nothing that a sender chose can
end a value, a comment or the field.
Standard: RFC 8601 §2.2 (ABNF), RFC 5322 §2.1.1 (line length). Not here: what goes in (`describe`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from gatepost.msgauth.authres.result import MethodResult

NAME = "Authentication-Results"
LINE = 76  # RFC 5322 §2.1.1 asks for 78 at most
MAX_VALUE = 300  # characters of one value or comment: more than a domain name, less than a line of 998

# RFC 2045 §5.1 token, and RFC 8601 §2.2 pvalue: [[ local-part ] "@" ] domain-name. Colons are not among them.
_BARE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+\Z")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]*(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9._-]+\Z")
_KEYWORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\Z")  # RFC 5321 §4.1.2 Keyword, so no empty ones
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def write_authentication_results(
    authserv_id: str, results: Iterable[MethodResult], *, utf8: bool = False, name: str = NAME
) -> bytes:
    """The whole field with CRLF, folded; `none` when there are no results. With `utf8` (an SMTPUTF8 message) other
    letters than ASCII's stand as they are, else as question marks. RFC 8601 §2.2, §5 of RFC 8616 for UTF-8."""
    return _fold(f"{name}:", _segments(authserv_id, results, utf8)) + b"\r\n"


def write_body(authserv_id: str, results: Iterable[MethodResult], *, utf8: bool = False) -> bytes:
    """The body alone, on one line."""
    segments = _segments(authserv_id, results, utf8)
    return "; ".join(" ".join(words) for words in segments).encode("utf-8")


def _segments(authserv_id: str, results: Iterable[MethodResult], utf8: bool) -> list[list[str]]:
    segments = [[_value(authserv_id, utf8)]]
    segments += [_result(result, utf8) for result in results]
    return segments if len(segments) > 1 else [*segments, ["none"]]


def _result(result: MethodResult, utf8: bool) -> list[str]:
    words = [f"{_keyword(result.method)}={_keyword(result.result)}"]
    words += [f"({_comment(comment, utf8)})" for comment in result.comments if comment]
    if result.reason:
        words.append(f"reason={_quoted(_clean(result.reason, utf8))}")
    return words + [
        _property(ptype, name, value[:MAX_VALUE], utf8) for ptype, name, value in result.properties if value
    ]


@lru_cache(maxsize=4096)
def _property(ptype: str, name: str, value: str, utf8: bool) -> str:
    """Most are domains and selectors that the next message has, too."""
    return f"{_keyword(ptype)}.{_keyword(name)}={_value(value, utf8)}"


@lru_cache(maxsize=256)
def _keyword(text: str) -> str:
    """Words of our own; one that is none would be our mistake, and may still not break the field."""
    return text if _KEYWORD.match(text) else "unknown"


def _value(text: str, utf8: bool) -> str:
    text = _clean(text, utf8)
    return text if _BARE.match(text) or _ADDRESS.match(text) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _comment(text: str, utf8: bool) -> str:
    return _clean(text, utf8).translate({ord("("): "[", ord(")"): "]", ord("\\"): "/"})


def _clean(text: str, utf8: bool) -> str:
    """One line of printable characters, of bounded length."""
    text = text[:MAX_VALUE]
    if text.isascii() and text.isprintable():
        return text
    text = _UNPRINTABLE.sub(" ", text)
    return text if utf8 else text.encode("ascii", "replace").decode("ascii")


def _fold(head: str, segments: list[list[str]]) -> bytes:
    """A line for each method, long ones broken between words."""
    lines = [head + " " + " ".join(segments[0])]
    if segments[1:] == [["none"]]:
        return f"{lines[0]}; none".encode()
    for words in segments[1:]:
        lines[-1] += ";"
        lines.append("\t" + words[0])
        for word in words[1:]:
            if len(lines[-1]) + len(word) + 1 > LINE:
                lines.append("\t" + word)
            else:
                lines[-1] += " " + word
    return "\r\n".join(lines).encode("utf-8")
