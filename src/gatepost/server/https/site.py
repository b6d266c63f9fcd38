"""What is served under which name: a table of few pages, and 404 for all else.

In: a `Request`. Out: a `Response`. Standard: RFC 8461 §3.3 (the policy's name and path), RFC 8555 §8.3 (challenges).
Not here: HTTP itself (`connection`), what is on the pages (`policy`, `autoconfig`, `autodiscover`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from gatepost.net.tls import ascii_name
from gatepost.server.https.autoconfig import write_autoconfig
from gatepost.server.https.autodiscover import is_address, read_request, write_error, write_response
from gatepost.server.https.offers import find_offers
from gatepost.server.https.policy import write_policy
from gatepost.server.settings import GateSettings

POLICY = "/.well-known/mta-sts.txt"
AUTOCONFIG = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
AUTODISCOVER = "/autodiscover/autodiscover.xml"
CHALLENGE = "/.well-known/acme-challenge/"
_TEXT, _XML = "text/plain; charset=utf-8", "text/xml; charset=utf-8"

# RFC 8555 §8.3: a token is of the base64url alphabet
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`host` is in A-labels and lower case, without a port; `path` as it came, without the query."""

    secure: bool
    method: str
    host: str
    path: str
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """`location` is where a redirect leads, `allow` what a 405 says."""

    status: int
    body: bytes = b""
    kind: str = _TEXT
    location: str = ""
    allow: str = ""


NOT_FOUND = Response(status=404, body=b"There is nothing here.\n")


class Site:
    """`challenge` answers the key authorization of a token of ACME, None for one that is not ours."""

    def __init__(self, settings: GateSettings, challenge: Callable[[str], bytes | None]) -> None:
        self._challenge = challenge
        self._domains = tuple(ascii_name(name) for name in settings.domains)
        self._name = settings.autoconfig.name
        self._offers = find_offers(settings)
        self._policy = write_policy(settings.mta_sts, settings.hostname)

    def answer(self, request: Request) -> Response:
        """The page, or 404."""
        if not request.secure:
            return self._plain(request)
        label, _, above = request.host.partition(".")
        domain = above if above in self._domains and label in ("mta-sts", "autoconfig", "autodiscover") else ""
        own = request.host in self._domains  # the domain's own name: some programs ask there first
        if label == "mta-sts" and domain and request.path == POLICY:
            return _read_only(request, Response(status=200, body=self._policy, kind="text/plain"))
        if not self._offers:
            return NOT_FOUND
        if request.path in AUTOCONFIG and (own or (domain and label == "autoconfig")):
            name = domain or request.host
            return _read_only(
                request,
                Response(status=200, kind=_XML, body=write_autoconfig(name, self._name or name, self._offers)),
            )
        if request.path.lower() == AUTODISCOVER and (own or (domain and label == "autodiscover")):
            return self._autodiscover(request)
        return NOT_FOUND

    def _plain(self, request: Request) -> Response:
        """Port 80: challenges, and the way to HTTPS for the names that have something there."""
        if request.path.startswith(CHALLENGE):
            token = request.path.removeprefix(CHALLENGE)
            found = self._challenge(token) if _TOKEN.fullmatch(token) else None
            body = Response(status=200, body=found, kind="application/octet-stream") if found else NOT_FOUND
            return _read_only(request, body)
        secured = self.answer(
            Request(secure=True, method="GET", host=request.host, path=request.path, query=request.query)
        )
        if secured.status == 404:
            return NOT_FOUND
        query = f"?{request.query}" if request.query else ""
        return Response(status=302, location=f"https://{request.host}{request.path}{query}")

    def _autodiscover(self, request: Request) -> Response:
        if request.method == "POST":
            asked = read_request(request.body)
            if isinstance(asked, str):
                return Response(status=400, kind=_XML, body=write_error(600, f"The request cannot be used: {asked}"))
            if not asked.is_outlook:
                return Response(status=200, kind=_XML, body=write_error(601, "Only Outlook's form is known here"))
            address = asked.address
            if ascii_name(address.rpartition("@")[2]) not in self._domains:
                return Response(status=200, kind=_XML, body=write_error(600, "The address is of no domain served here"))
        elif request.method in ("GET", "HEAD"):
            named = {key.lower(): values[0] for key, values in parse_qs(request.query, max_num_fields=10).items()}
            address = named.get("emailaddress", "")
            if not is_address(address) or ascii_name(address.rpartition("@")[2]) not in self._domains:
                address = ""
        else:
            return Response(status=405, allow="GET, HEAD, POST")
        return Response(status=200, kind=_XML, body=write_response(address, self._offers))


def _read_only(request: Request, response: Response) -> Response:
    return response if request.method in ("GET", "HEAD") else Response(status=405, allow="GET, HEAD")
