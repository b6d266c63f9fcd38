"""Brings a connection to the TLS that a `Demand` asks for, or says why it cannot be had.

In: a greeted client, a demand, a way to connect anew. Out: `Secured`; or TlsFailed, with the enhanced code for the
queue and the result type of RFC 8460 §4.3 for who counts.
Standard: RFC 3207 §4 (EHLO anew after TLS), RFC 7435 §3 (opportunistic: in the clear rather than not at all), RFC 7672
§2.2 (DANE: never in the clear), RFC 8461 §5 (testing: a failure is only told), RFC 8314 §3 (TLS before the greeting).
Not here: what is demanded (`protection`), whether a chain is what TLSA records name (`msgauth.tlsa_chain`).
"""

from __future__ import annotations

import dataclasses
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gatepost.errors import RemoteProtocolError
from gatepost.msgauth.tlsa_chain import check_chain
from gatepost.net.tls import client_context
from gatepost.server.delivery.hop import HopFailed
from gatepost.server.delivery.protection import Demand, Level
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.smtp.client import SmtpClient, TransportError

Again = Callable[[], Awaitable[SmtpClient]]

NO_STARTTLS = "4.7.4"  # RFC 3463 §3.8: security features not supported
_EXPIRED, _MISMATCH = 10, 62  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH of OpenSSL


class TlsFailed(HopFailed):
    """TLS was not to be had as demanded. `failure` is "RESULT-TYPE: words" (RFC 8460 §4.3)."""

    def __init__(self, code: str, failure: str, text: str) -> None:
        self.failure = failure
        super().__init__(code, text)


@dataclass(frozen=True, slots=True)
class Secured:
    """`client` has said EHLO and may be used. `verified` says that the server proved who it is; `failure` (as in
    TlsFailed) why there is less TLS than was tried for; `demanded_by` who would not have had less than there is."""

    client: SmtpClient
    verified: bool = False
    failure: str = ""
    demanded_by: str = ""


class Security:
    """One for the delivery process: the contexts are made once, since the system's authorities take time to read.
    `clock` is the time of day, for certificates. Raises ConfigError for a `ca_file` that is none."""

    def __init__(self, hostname: str, settings: DeliverySettings, clock: Callable[[], float] = time.time) -> None:
        self._hostname = hostname
        self._clock = clock
        self._any = client_context(verified=False)
        self._verified = client_context(verified=True, authority=settings.ca_file or None)

    def context(self, demand: Demand) -> ssl.SSLContext:
        """For the handshake. With DANE OpenSSL checks nothing: what counts is checked when it is over."""
        return self._verified if demand.level is Level.VERIFIED else self._any

    async def secure(
        self, client: SmtpClient, host: str, demand: Demand, again: Again, *, local: bool = False
    ) -> Secured:
        """`host` is the server's name, for SNI. `client` has said EHLO, perhaps over TLS already (which then was made
        with `context`). `again` opens and greets another connection; `local` says that nobody can listen between."""
        if demand.level is Level.NONE:
            return Secured(client)
        failure = await self._start(client, host, demand)
        if not failure:
            verified = demand.level is Level.VERIFIED or bool(demand.level is Level.DANE and demand.tlsa)
            asked = "" if demand.level is Level.OPPORTUNISTIC else demand.source
            return Secured(client, verified=verified, demanded_by=asked)
        unoffered = client.tls is None and "STARTTLS" not in client.extensions
        if unoffered and (local or demand.level is Level.OPPORTUNISTIC):
            return Secured(client, failure="" if local else failure)
        if unoffered:
            await client.quit()
        client.abort()
        if demand.testing:
            return await self._for_less(host, demand, again, failure)
        if demand.level is not Level.OPPORTUNISTIC:
            raise TlsFailed(NO_STARTTLS if unoffered else demand.code, failure, _words(client.label, demand, failure))
        plain = await again()  # RFC 7435 §3: on a connection of its own, nobody knows in which state this one is
        return Secured(plain, failure=failure)

    async def _for_less(self, host: str, demand: Demand, again: Again, failure: str) -> Secured:
        """A policy that is only tested: what is demanded without it."""
        floor = dataclasses.replace(demand, level=demand.floor, testing=False, source="configuration", tlsa=())
        secured = await self.secure(await again(), host, floor, again)
        return dataclasses.replace(secured, failure=failure)

    async def _start(self, client: SmtpClient, host: str, demand: Demand) -> str:
        """Empty when TLS stands as demanded, else what went wrong."""
        try:
            if client.tls is None:
                if "STARTTLS" not in client.extensions:
                    return "starttls-not-supported: it offers no STARTTLS"
                checked = demand.level in (Level.VERIFIED, Level.DANE) and demand.names
                name = demand.names[0] if checked else host  # RFC 7672 §8.1: SNI names the TLSA base domain
                reply = await client.start_tls(self.context(demand), name or None)
                if not reply.positive:
                    return f"starttls-not-supported: it refuses STARTTLS: {reply.code} {reply.text}"
                reply = await client.hello(self._hostname)
                if not reply.positive:
                    return f"validation-failure: over TLS it says {reply.code} {reply.text}"
        except (TransportError, RemoteProtocolError, ssl.SSLError) as error:
            return describe_failure(error)
        if demand.level is Level.DANE and demand.tlsa:
            return check_chain(client.chain, demand.tlsa, demand.names or (host,), self._clock())
        return ""


def describe_failure(error: Exception) -> str:
    """A failed handshake as a result type of RFC 8460 §4.3, with OpenSSL's words behind it."""
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        kind = {_EXPIRED: "certificate-expired", _MISMATCH: "certificate-host-mismatch"}.get(
            cause.verify_code, "certificate-not-trusted"
        )
        return f"{kind}: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"validation-failure: the handshake failed: {cause.reason or cause}"
    return f"validation-failure: {error.text if isinstance(error, TransportError | RemoteProtocolError) else error}"


def _words(label: str, demand: Demand, failure: str) -> str:
    wanted = {Level.ENFORCED: "TLS", Level.VERIFIED: "TLS with a verified certificate"}.get(
        demand.level, "TLS with a certificate that TLSA records name"
    )
    return f"{label}: {failure.partition(': ')[2]}; {demand.source} demands {wanted}"
