"""Gets one certificate from an authority by ACME; runs in a thread, since the library waits.

In: settings, the key to certify, a `Prover`. Out: the chain (PEM), or `AcmeFailed` with the authority's own words.
Standard: RFC 8555 (accounts §7.3, orders §7.4, external accounts §7.3.4), RFC 9773 (when to renew).
Not here: whether it is time (`renewal`), how names are proven (`challenges`). The library is loaded here and only here.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gatepost.errors import GatepostError
from gatepost.net.authority import write_private
from gatepost.server.certificates.folder import new_key
from gatepost.server.certificates.settings import AcmeSettings

if TYPE_CHECKING:
    from acme.client import ClientV2

ACCOUNT_KEY, ACCOUNT = "account.key", "account.json"
ONE_REQUEST = 30  # seconds
MAX_WORDS = 500  # characters of what an authority says
AGENT = "gatepost"
UNKNOWN_ACCOUNT = "accountDoesNotExist"  # RFC 8555 §6.7


class AcmeFailed(GatepostError):
    """There is no certificate; `str()` says why, in one line."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What must be seen for `name` (A-labels): at a path on port 80 with `token`, or in DNS as `value`."""

    name: str
    token: str
    value: str


class Prover(Protocol):
    """Shows proofs and takes them away again."""

    def show(self, proofs: Sequence[Proof]) -> None:
        """Returns when they can be seen. Raises AcmeFailed."""
        ...

    def hide(self, proofs: Sequence[Proof]) -> None:
        """They are not needed any more. Never raises."""
        ...


def obtain(settings: AcmeSettings, folder: Path, key: bytes, names: Sequence[str], prover: Prover) -> bytes:
    """A certificate for `names` and `key`, with the chain above it. Raises AcmeFailed, StoreError, InputError."""
    from acme import crypto_util

    with _told(settings, folder):
        client = _client(settings, folder)
        deadline = datetime.datetime.now() + datetime.timedelta(seconds=settings.timeout)
        order = client.new_order(crypto_util.make_csr(key, list(names)))
        proofs, answers = _proofs(order, client, settings.challenge)
        try:
            if proofs:
                prover.show(proofs)
            for challenge, response in answers:
                client.answer_challenge(challenge, response)
            order = client.poll_and_finalize(order, deadline)
        finally:
            prover.hide(proofs)
        chain: bytes = order.fullchain_pem.encode("ascii")
    _check(chain, key)
    return chain


def renewal_time(settings: AcmeSettings, folder: Path, chain: bytes) -> float | None:
    """RFC 9773: when the authority wants `chain` renewed; None where it does not say."""
    with _told(settings, folder):
        when, _ = _client(settings, folder).renewal_time(chain)
    return when.timestamp() if when is not None else None


def _client(settings: AcmeSettings, folder: Path) -> ClientV2:
    """A client that is known to the authority."""
    from acme import client, messages
    from josepy.jwa import ES256
    from josepy.jwk import JWKEC

    key = JWKEC(key=cast(Any, serialization.load_pem_private_key(_account_key(folder), None)))
    verify = cast(bool, settings.ca_file or True)  # requests takes a path as well
    net = client.ClientNetwork(key, alg=ES256, verify_ssl=verify, user_agent=AGENT, timeout=ONE_REQUEST)
    found = client.ClientV2(client.ClientV2.get_directory(settings.directory, net), net)
    uri = _known_account(settings, folder)
    if uri:
        net.account = messages.RegistrationResource(uri=uri, body=messages.Registration())
        return found
    body = messages.NewRegistration.from_data(
        email=",".join(settings.contact) or None, terms_of_service_agreed=settings.agree_to_terms
    )
    if settings.eab_kid:
        binding = messages.ExternalAccountBinding.from_data(
            account_public_key=key.public_key(),
            kid=settings.eab_kid,
            hmac_key=_eab_key(settings),
            directory=found.directory,
        )
        body = body.update(external_account_binding=binding)
    from acme import errors

    try:
        uri = found.new_account(body).uri
    except errors.ConflictError as error:  # the key has one already
        uri = error.location
        net.account = messages.RegistrationResource(uri=uri, body=messages.Registration())
    write_private(folder / ACCOUNT, json.dumps({"directory": settings.directory, "uri": uri}).encode())
    return found


def _account_key(folder: Path) -> bytes:
    path = folder / ACCOUNT_KEY
    if not path.exists():
        write_private(path, new_key())
    return path.read_bytes()


def _known_account(settings: AcmeSettings, folder: Path) -> str:
    try:
        found = json.loads((folder / ACCOUNT).read_bytes())
        return str(found["uri"]) if found["directory"] == settings.directory else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _eab_key(settings: AcmeSettings) -> str:
    """The key in base64url without padding, as the library wants it."""
    path = Path(settings.eab_key_file)
    if path.stat().st_mode & 0o077:
        raise AcmeFailed(f"acme.eab_key_file: others on this machine can read it; chmod 600 {path}")
    text = path.read_text("ascii", "replace").strip().rstrip("=").replace("+", "-").replace("/", "_")
    base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return text


def _proofs(order: Any, client: ClientV2, kind: str) -> tuple[list[Proof], list[tuple[Any, Any]]]:
    """What is to be shown, and what is answered then; a name that was proven a short while ago needs neither."""
    from acme import messages

    proofs, answers = [], []
    for authorization in order.authorizations:
        if authorization.body.status == messages.STATUS_VALID:
            continue
        name = authorization.body.identifier.value
        challenge = next((one for one in authorization.body.challenges if one.chall.typ == kind), None)
        if challenge is None:
            raise AcmeFailed(f"{name}: the authority does not offer {kind}; see acme.challenge")
        response, value = challenge.response_and_validation(client.net.key)
        token = challenge.chall.encode("token")
        proofs.append(Proof(name, token, value))
        answers.append((challenge, response))
    return proofs, answers


def _check(chain: bytes, key: bytes) -> None:
    """An authority's answer is a stranger's: nothing is put into use that would not work."""
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise AcmeFailed("the authority's certificate cannot be read") from error
    private = serialization.load_pem_private_key(key, None)
    if leaf.public_key() != private.public_key():
        raise AcmeFailed("the authority's certificate is for another key")


class _told:
    """Turns the library's errors, and those of the libraries below it, into one line of ours."""

    def __init__(self, settings: AcmeSettings, folder: Path) -> None:
        self._where, self._folder = settings.directory, folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, GatepostError) or not isinstance(error, Exception):
            return
        if getattr(error, "code", "") == UNKNOWN_ACCOUNT:  # the next try makes another one
            (self._folder / ACCOUNT).unlink(missing_ok=True)
        raise AcmeFailed(_words(error, self._where)) from error


def _words(error: Exception, where: str) -> str:
    import requests
    from acme import errors, messages

    if isinstance(error, errors.ValidationError):
        found = [
            f"{failed.body.identifier.value}: {challenge.chall.typ}: {challenge.error.detail or challenge.error.typ}"
            for failed in error.failed_authzrs
            for challenge in failed.body.challenges
            if challenge.error is not None
        ]
        return _line("; ".join(found) or "the authority could not see the proof")
    if isinstance(error, messages.Error):
        return _line(f"{where}: {error.detail or error.description or error.typ} ({error.code or 'error'})")
    if isinstance(error, errors.TimeoutError):
        return f"{where}: the authority did not come to an end in time"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{where}: its certificate is not trusted; see acme.ca_file"
    if isinstance(error, requests.exceptions.RequestException):
        return f"{where}: cannot be reached ({type(error).__name__})"
    return _line(f"{where}: {type(error).__name__}: {error}")


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_WORDS]
