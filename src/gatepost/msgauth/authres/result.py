"""An Authentication-Results field as values.

In: made by `record.parse_authentication_results`, or by us to be written. Out: frozen values.
Standard: RFC 8601 §2.2 and §2.3. Not here: who may be believed (`select`); how they are written (`write`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Property(NamedTuple):
    """`ptype.name=value` (RFC 8601 §2.3). `ptype` is empty for the bare `name=value` of some large providers. (A named
    tuple, as is the next one: every message makes a dozen, in a third of the time.)"""

    ptype: str
    name: str
    value: str


class MethodResult(NamedTuple):
    """One method's result. `method` and `result` are in lower case, `comments` as written without their parentheses."""

    method: str
    result: str
    version: int = 1
    reason: str = ""
    properties: tuple[Property, ...] = ()
    comments: tuple[str, ...] = ()

    def value(self, name: str) -> str:
        """The value of the first property called `ptype.name` (in lower case), "" when there is none."""
        ptype, _, short = name.rpartition(".")
        return next((p.value for p in self.properties if p.name == short and p.ptype == ptype), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationResults:
    """A whole field. `authserv_id` is as written, unquoted; empty when the field does not say who wrote it.
    `results` is empty for `none`. `defects` are codes: "no-authserv-id", "bad-version", "bad-result", "bad-property",
    "too-long", "too-many-results", and those of the tokens ("unclosed-quote", "unclosed-comment", …)."""

    authserv_id: str = ""
    version: int = 1
    results: tuple[MethodResult, ...] = ()
    defects: tuple[str, ...] = ()

    def all(self, method: str) -> tuple[MethodResult, ...]:
        """The results of a method, in order."""
        return tuple(result for result in self.results if result.method == method)
