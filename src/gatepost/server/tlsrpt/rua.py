"""Where a domain wants its TLS reports.

In: the TXT records at `_smtp._tls`. Out: mailto: and https: addresses, in order. Standard: RFC 8460 §3.
Not here: sending (`sending`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

MAX_ADDRESSES = 4  # of one domain; the standard says that all are to be served
_MAILTO = re.compile(r"[A-Za-z0-9!#$&'*+/=?^_`{|}~.%-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)


def parse_rua(texts: Sequence[bytes]) -> tuple[str, ...]:
    """RFC 8460 §3: exactly one record that begins with the version counts, else there is none."""
    found = [text for text in texts if re.match(rb"v=TLSRPTv1[ \t]*;", text)]
    if len(found) != 1:
        return ()
    fields = dict(
        piece.strip().partition("=")[::2] for piece in reversed(found[0].decode("ascii", "replace").split(";"))
    )
    wanted = [one.strip() for one in {name.strip(): value for name, value in fields.items()}.get("rua", "").split(",")]
    return tuple(dict.fromkeys(one for one in wanted if _is_usable(one)))[:MAX_ADDRESSES]


def mail_address(rua: str) -> str:
    """The address of a mailto: URI; empty where it is none that we write to."""
    address = unquote(rua[len("mailto:") :].partition("?")[0])
    return address if rua.lower().startswith("mailto:") and _MAILTO.fullmatch(address) else ""


def _is_usable(rua: str) -> bool:
    if len(rua) > 500 or not rua.isascii() or not rua.isprintable() or " " in rua:
        return False
    return rua.lower().startswith("https://") or bool(mail_address(rua))
