"""The limits of the machine, server and client alike.

In: nothing. Out: `Limits`. Standard: RFC 5321 §4.5.3.1, which sets what must be accepted at least.
Not here: limits that need a clock or more than one connection (`server.smtp.settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may ask of us."""

    command_line: int = 2048
    """Octets in a command line, CRLF included. RFC 5321 asks for 512 and each extension adds to it: SIZE 26, BODY 17,
    SMTPUTF8 10, DSN 100 for MAIL and 500 for RCPT, AUTH 500; UTF-8 addresses may triple."""

    message: int = 26_214_400
    """Octets in a message as it is kept, after dots are unstuffed. The SIZE extension announces it."""

    discard: int = 67_108_864
    """Octets of a refused message that are read and thrown away before the connection is closed instead."""

    bare_newlines: Literal["refuse", "normalise"] = "refuse"
    """What becomes of a CR or LF that stands alone in a message: "refuse" answers 550; "normalise" turns LF into CRLF
    and CR into a space, for old devices. Only CRLF.CRLF ends a message either way."""

    reply_line: int = 2048
    """Octets in one line of a reply that we read. RFC 5321 allows 512; some servers explain themselves at length."""

    reply_lines: int = 128
    """Lines in one reply that we read; a reply to EHLO is the longest."""
