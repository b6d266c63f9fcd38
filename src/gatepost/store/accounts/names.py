"""One form of an address, so that what looks the same to a reader is the same account.

In: an address as somebody wrote it. Out: local part prepared, domain as A-labels in lower case; InputError for none.
Standard: RFC 8265 §3.3 (UsernameCaseMapped), RFC 5891 §4.4 (A-labels). Not here: the profile itself
(`wire.sasl.prepare`); recipients, which are only ever compared (`server.recipients`).
"""

from __future__ import annotations

from gatepost.errors import InputError
from gatepost.wire.sasl.prepare import Unfit, prepare_name

_NOT_PLAIN = frozenset('"(),:;<>@[\\]')  # RFC 5321 §4.1.2: these need quotes, which no account's name has


def prepare_address(text: str, field: str = "account") -> str:
    """`text` as an account's address. Raises InputError, naming `field`."""
    local, _, domain = text.rpartition("@")
    if not local or not domain:
        raise InputError(field, text, "write it as local-part@domain")
    if _NOT_PLAIN & set(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise InputError(field, text, "has a local part that needs quotes; take a plain one")
    try:
        return f"{prepare_name(local)}@{prepare_domain(domain, field)}"
    except Unfit as error:
        raise InputError(field, text, f"cannot be an account: {error}") from None


def prepare_domain(text: str, field: str = "domain") -> str:
    """`text` as a domain in A-labels. Raises InputError, naming `field`."""
    name = text.rstrip(".").lower()
    if name.isascii():
        labels = name.split(".")
        if len(name) <= 253 and all(0 < len(label) <= 63 and _is_label(label) for label in labels):
            return name
        raise InputError(field, text, "is no domain name; write it as example.org")
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise InputError(field, text, f"is no domain name ({error})") from None


def _is_label(label: str) -> bool:
    return all(c.isalnum() or c in "-_" for c in label)


def prepare_sender(text: str, field: str = "sender") -> str:
    """What may be delegated: an address, or a whole domain as "@example.org". Raises InputError."""
    if text.startswith("@"):
        return "@" + prepare_domain(text[1:], field)
    return prepare_address(text, field)
