"""The errors of the house, one tree.

    GatepostError
    ├── InputError            what a person gave us: names field, value and remedy (exit code 2)
    │   └── ConfigError       the same, in gatepost.toml
    ├── ProtocolError         a rule of a protocol was broken
    │   ├── LocalProtocolError    by us: a programming error
    │   └── RemoteProtocolError   by the peer: carries the reply to give
    └── StoreError            the disk refused
        ├── StoreFull         no room: answer 452, ask again later
        ├── StoreBusy         another process holds it
        └── StoreDamaged      a file is not what it was: never guessed around

Verdicts are values, not exceptions: a message that fails SPF raises nothing (DESIGN, "Rules that keep it so").
"""

from __future__ import annotations


class GatepostError(Exception):
    """Anything this package raises on purpose."""


class InputError(GatepostError):
    """A file, an argument or an option that cannot be used.

    `field` is what was wrong, `value` what was found there and `remedy` what to do about it; `str()` gives all
    three in one line, made safe for a terminal.
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field = field
        self.value = value
        self.remedy = remedy
        super().__init__(f"{field}: {_printable(value)}: {remedy}")


class ConfigError(InputError):
    """The configuration file cannot be used as it stands."""


class ProtocolError(GatepostError):
    """A rule of a wire protocol was broken."""


class LocalProtocolError(ProtocolError):
    """We broke it: the caller used a machine out of turn."""


class RemoteProtocolError(ProtocolError):
    """The peer broke it; `reply_code`, `enhanced_status_code` and `text` are what to answer."""

    def __init__(self, reply_code: int, enhanced_status_code: str, text: str) -> None:
        self.reply_code = reply_code
        self.enhanced_status_code = enhanced_status_code
        self.text = text
        super().__init__(f"{reply_code} {enhanced_status_code} {text}")


class StoreError(GatepostError):
    """The store could not keep or read what it was asked to."""


class StoreFull(StoreError):
    """No room, by the disk's word or by our own limit."""


class StoreBusy(StoreError):
    """Another living process holds what only one may have."""


class StoreDamaged(StoreError):
    """Stored data does not read back as written."""


def _printable(value: object) -> str:
    """`value` on one line of at most 200 characters, without control characters."""
    try:
        text = str(value)
    except ValueError:  # an integer of thousands of digits
        text = "a very long number"
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:200])
    return shown + "…" if len(text) > 200 else shown
