"""What can be said of [acme] without asking the authority.

In: settings. Out: nothing, or ConfigError; words for `serve --check`.
Not here: looking after the certificate (`upkeep`).
"""

from __future__ import annotations

import pwd
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from gatepost.errors import ConfigError
from gatepost.net.tls import ascii_name
from gatepost.server.certificates.folder import CertificateFolder, check_owner
from gatepost.server.certificates.renewal import when_due
from gatepost.server.certificates.state import read_state
from gatepost.server.certificates.upkeep import first_pair
from gatepost.server.settings import GateSettings
from gatepost.wire.smtp.grammar import is_domain

MAX_NAMES = 100  # what Let's Encrypt takes


def check_acme(settings: GateSettings) -> None:
    """Raises ConfigError for options that cannot work together."""
    acme = settings.acme
    if not acme.names:
        return
    for name in acme.names:
        wild = name.startswith("*.")
        if not is_domain(ascii_name(name.removeprefix("*."))) or "." not in name:
            raise ConfigError("acme.names", name, "is no host's name")
        if wild and acme.challenge != "dns-01":
            raise ConfigError("acme.names", name, 'can only be proven with acme.challenge = "dns-01"')
    if len(acme.names) > MAX_NAMES:
        raise ConfigError("acme.names", f"{len(acme.names)} names", f"at most {MAX_NAMES} fit into one certificate")
    live = CertificateFolder(settings.store.folder).live[0]
    if settings.tls.certificate != live:
        remedy = "leave tls.certificate and tls.key out: [acme] keeps them"
        raise ConfigError("tls.certificate", settings.tls.certificate, remedy)
    if not acme.agree_to_terms:
        raise ConfigError("acme.agree_to_terms", "false", "read the authority's terms of service, and say true")
    if urlsplit(acme.directory).scheme != "https":
        raise ConfigError("acme.directory", acme.directory, "must be an https:// URL")
    if acme.challenge == "http-01" and not settings.https.http_listen:
        raise ConfigError("acme.challenge", "http-01", 'needs https.http_listen, as ["0.0.0.0:80", "[::]:80"]')
    if acme.challenge == "dns-01" and not settings.publish.server:
        raise ConfigError("acme.challenge", "dns-01", "needs publish.server")
    if acme.tlsa == "publish" and not settings.publish.server:
        raise ConfigError("acme.tlsa", "publish", "needs publish.server")
    if bool(acme.eab_kid) != bool(acme.eab_key_file):
        raise ConfigError("acme.eab_kid", acme.eab_kid, "goes with acme.eab_key_file: give both or none")
    for field, path in (("acme.ca_file", acme.ca_file), ("acme.eab_key_file", acme.eab_key_file)):
        if path and not Path(path).is_file():
            raise ConfigError(field, path, "there is no such file")
    if find_spec("acme") is None:
        raise ConfigError("acme.names", acme.names[0], "needs the extra: pip install 'gatepost[acme]'")


def prepare_certificates(settings: GateSettings, user: pwd.struct_passwd | None, now: float) -> None:
    """Before anything is served: a pair to show, in a folder of the gate's user. Raises ConfigError, StoreError."""
    check_acme(settings)
    if settings.acme.names:
        folder = CertificateFolder(settings.store.folder)
        folder.prepare()
        first_pair(folder, settings.acme.names, now)
        folder.prepare(user)
        for path in folder.live:
            check_owner(path, user)


def describe_acme(settings: GateSettings) -> str:
    """For `serve --check`."""
    check_acme(settings)
    if not settings.acme.names:
        return "off; whoever renews the files of [tls] is asked by nobody"
    folder = CertificateFolder(settings.store.folder)
    pair, state = folder.current(), read_state(folder.path)
    if state.error:
        return f"FAILS: {state.error}"
    authority = urlsplit(settings.acme.directory).hostname
    told = f"{', '.join(settings.acme.names)} by {settings.acme.challenge} from {authority}"
    if pair is None or pair.is_self_signed:
        return f"{told}; none was obtained yet, a self-signed one is shown until then"
    due = when_due(pair, settings.acme.names, state, False)
    return f"{told}; the next is due on {datetime.fromtimestamp(due.at, UTC):%Y-%m-%d} ({due.why})"
