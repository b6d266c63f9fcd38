"""Fetches a page over HTTPS for `ports.Pages`, and posts a document: MTA-STS policies, TLS reports.

In: an https URL whose host strangers may have chosen. Out: `Page`, never an exception. The host is looked up by our
resolver, every address is checked, and the connection goes to the very address that was checked; the certificate must
name the host; no redirect is followed; what is read has a limit, and all together a deadline.
Standard: RFC 8461 §3.3 (fetching a policy), RFC 8460 §3 (posting a report), RFC 9525 §6.3 (only names in the SAN).
Not here: following the links of messages (`fetch`); what a page says (`msgauth.sts`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address

import httpx2

from gatepost.net.fetch import Address, is_special, why_unreachable
from gatepost.net.tls import client_context
from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.ports.pages import Page

MAX_URL = 2048
MAX_ADDRESSES = 4  # that are tried, one after the other
HTTPS = 443
_HEADERS = (("User-Agent", "Gatepost"), ("Accept", "*/*"), ("Accept-Encoding", "identity"), ("Connection", "close"))


class PageFetcher:
    """`allowed` are networks that are reached although they are private, for trials; `port` takes the place of 443
    there. `authority` is a PEM file in place of the system's authorities. `own` lets public addresses of this machine
    be reached too: for who asks about a domain of his own."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        authority: str | None = None,
        allowed: Collection[IPv4Network | IPv6Network] = (),
        port: int = HTTPS,
        own: bool = False,
    ) -> None:
        self._resolver = resolver
        self._own = own
        self._allowed = tuple(allowed)
        self._port = port
        self._authority = authority
        self._context: ssl.SSLContext | None = None

    async def fetch(self, url: str, *, deadline: float, max_octets: int) -> Page:
        """One page, within `deadline` seconds. Never raises."""
        return await self._within(url, deadline, max_octets, "GET", b"", {})

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, deadline: float) -> Page:
        """Hands `body` to a server; what it answers is not read. Never raises."""
        return await self._within(url, deadline, 0, "POST", body, headers)

    async def _within(
        self, url: str, deadline: float, max_octets: int, method: str, body: bytes, headers: Mapping[str, str]
    ) -> Page:
        try:
            async with asyncio.timeout(deadline):
                return await self._ask(url, max_octets, method, body, headers)
        except TimeoutError:
            return Page(url=url, reason=f"no answer within {deadline:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, UnicodeError) as error:
            return Page(url=url, reason=_told(error))

    async def _ask(self, url: str, max_octets: int, method: str, body: bytes, headers: Mapping[str, str]) -> Page:
        if len(url) > MAX_URL:
            return Page(url=url[:MAX_URL], reason="the address is too long")
        target = httpx2.URL(url)
        host = target.raw_host.decode("ascii")
        if target.scheme != "https" or not host or target.userinfo or (target.port or HTTPS) != HTTPS:
            return Page(url=url, reason="it is no https address on port 443")
        addresses = await self._addresses(host)
        for address in addresses:
            reason = self._refusal(address)
            if reason:
                return Page(url=url, reason=f"{host} has {reason}: {address}")
        failure: Exception | None = None
        async with httpx2.AsyncHTTPTransport(verify=self._tls(), trust_env=False, http2=False) as transport:
            for address in addresses[:MAX_ADDRESSES]:
                place = target.copy_with(host=str(address), port=self._port)
                request = httpx2.Request(
                    method,
                    place,
                    headers=[("Host", host), *_HEADERS, *headers.items()],
                    content=body or None,
                    extensions={"sni_hostname": host},
                )
                try:
                    response = await transport.handle_async_request(request)
                except httpx2.ConnectError as error:
                    failure = error
                    continue
                return await _read(url, response, max_octets)
        return Page(url=url, reason=_told(failure) if failure else f"{host} has no address")

    def _refusal(self, address: Address) -> str:
        """Why `address` is not asked, empty when it is."""
        if any(address in network for network in self._allowed) or (self._own and not is_special(address)):
            return ""
        return why_unreachable(address)

    async def _addresses(self, host: str) -> list[Address]:
        questions = (Question(host, "A"), Question(host, "AAAA"))
        answers = await self._resolver.lookup_all(questions, 20.0)
        return [ip_address(name) for answer in answers if answer.status is DnsStatus.OK for name in answer.names]

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = client_context(verified=True, authority=self._authority)
            self._context.hostname_checks_common_name = False
        return self._context


async def _read(url: str, response: httpx2.Response, max_octets: int) -> Page:
    """The body up to the limit. A redirect is told and not followed."""
    status, location = response.status_code, response.headers.get("location", "")[:MAX_URL]
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()[:100]
    body = b""
    try:
        if max_octets:
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > max_octets:
                    reason = f"the page is longer than {max_octets} octets"
                    return Page(url=url, status=status, content_type=content_type, reason=reason)
    finally:
        await response.aclose()
    reason = "" if 200 <= status < 300 else f"the server answers {status}"
    if location and 300 <= status < 400:
        reason = f"the server answers {status} and points elsewhere, which is not followed"
    return Page(url=url, status=status, content_type=content_type, body=body, location=location, reason=reason)


def _told(error: Exception) -> str:
    """The certificate's fault in OpenSSL's words, which httpx wraps twice."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate does not do: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return f"no answer: {str(error)[:200] or type(error).__name__}"
