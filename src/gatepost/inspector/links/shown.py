"""What is shown for a link, where that is an address itself; and words in an address that ask for trust.

In: the text of a link, a URL. Out: the host a person believes in, the credential words. Linear, bounded by the caller.
Standard: none; a link's text is whatever its writer likes. Not here: what the two make together (`rules.links`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from gatepost.inspector.links.domain import looks_registered
from gatepost.inspector.links.host import percent_decode
from gatepost.inspector.links.url import Url, parse_url

_ADDRESS = re.compile(r"(?:https?:|ftp:|www\.)[^\s<>\"]{3,500}", re.IGNORECASE)
_BARE = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?:[/:?][^\s]{0,500})?")
_WORD = re.compile(r"[a-z]{4,20}")
_AROUND = " \t\r\n.,;:!?()[]<>\"'«»“”‘’…→>|*-"

CREDENTIAL_WORDS = frozenset(
    (
        *("login", "logon", "signin", "verify", "verification", "verified", "secure", "security", "account"),
        *("accounts", "password", "passwd", "webmail", "auth", "authenticate", "authentication", "confirm"),
        *("confirmation", "unlock", "suspended", "suspend", "wallet", "recover", "recovery", "validate"),
        *("validation", "credential", "identity", "mailbox", "owa", "banking", "onlinebanking", "sso"),
        *("billing", "reactivate", "restore", "konto", "anmelden", "anmeldung", "sicherheit", "bestaetigen"),
        *("bestaetigung", "passwort", "kundenkonto", "compte", "connexion", "verifier", "securite"),
        *("confirmer", "authentification", "identification", "cuenta", "verificar", "acceso", "clave"),
        *("seguridad", "confirmar", "iniciar", "contrasena"),
    )
)


@lru_cache(maxsize=2048)
def shown_host(text: str) -> str:
    """The host that the text of a link names, in its DNS form; empty where the text is no address."""
    text = text.strip(_AROUND)
    if not text or "@" in text or len(text) > 600:
        return ""
    found = _ADDRESS.search(text)
    if found is not None:
        address = found[0]
        if address[:4].lower() != "www.":  # written as an address in full: believed whatever it ends in
            return parse_url(address).host.ascii
        host = parse_url("http://" + address).host
        return host.ascii if host.is_address or looks_registered(host.ascii) else ""
    if " " in text or not _BARE.fullmatch(text):
        return ""
    host = parse_url("http://" + text).host
    return host.ascii if not host.is_address and looks_registered(host.ascii) else ""


def credential_words(url: Url) -> tuple[str, ...]:
    """The words in host and path that ask for trust, each once."""
    text = f"{url.host.shown} {percent_decode(url.path[:500])}".lower()
    return tuple(dict.fromkeys(word for word in _WORD.findall(text) if word in CREDENTIAL_WORDS))
