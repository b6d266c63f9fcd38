"""TLS as OpenSSL speaks it: a handshake that checks the chain, else one that looks at whatever is shown.

In: a channel that is ready for a handshake. Out: `TlsSeen`, without the versions.
Standard: RFC 5280 §6 (chains, by OpenSSL), RFC 9525 (names are compared elsewhere: `audit.certificate`).
Not here: which versions and suites there are (`matrix`).
"""

from __future__ import annotations

import ssl
import warnings
from functools import lru_cache

from gatepost.net.probe.channel import Channel, Trouble
from gatepost.net.tls import presented_chain
from gatepost.ports import TlsSeen

EVERYTHING = "ALL:@SECLEVEL=0"  # old servers must be seen, and no secret of anybody passes here


@lru_cache(maxsize=8)
def open_context(*, checked: bool, authority: str | None) -> ssl.SSLContext:
    """As tolerant as this machine's OpenSSL can be; `checked` wants a chain to a known authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers(EVERYTHING)
    if not checked:
        context.verify_mode = ssl.CERT_NONE
    elif authority is not None:
        context.load_verify_locations(cafile=authority)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


async def shake_hands(channel: Channel, host: str, *, checked: bool, authority: str | None) -> TlsSeen:
    """One handshake. With `checked` a chain that leads nowhere ends it, with `distrust` and nothing else known."""
    context = open_context(checked=checked, authority=authority)
    try:
        connection = await channel.start_tls(context, host)
    except ssl.SSLCertVerificationError as error:
        return TlsSeen(distrust=error.verify_message or "the chain leads nowhere")
    except ssl.SSLError as error:
        return TlsSeen(failure=_words(error))
    except Trouble as trouble:
        return TlsSeen(failure=str(trouble))
    cipher = connection.cipher()
    return TlsSeen(
        version=connection.version() or "",
        cipher=cipher[0] if cipher is not None else "",
        chain=presented_chain(connection),
        trusted=checked,
    )


def _words(error: ssl.SSLError) -> str:
    """OpenSSL's reason in words: "WRONG_VERSION_NUMBER" is what a server says that speaks no TLS there."""
    if error.reason == "WRONG_VERSION_NUMBER":
        return "what comes back is no TLS"
    return (error.reason or str(error)).replace("_", " ").lower()[:200]
