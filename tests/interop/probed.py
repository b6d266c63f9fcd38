"""The servers that the probe is tried on: each safe, and with the mistakes that administrators make.

In: folders of unpacked neighbours, a certificate. Out: `SETTINGS`: name to a function that starts a server and answers
where to probe it. Used by the tests and by tools/probe_table.py. Everything is on loopback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dovecot import Dovecot
from exim import Exim
from neighbour import free_port
from opensmtpd_probed import OPEN_RULES, SAFE_RULES, ProbedOpenSmtpd
from postfix import Postfix


class Stopping(Protocol):
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A running server; `where` are the arguments of `gatepost probe`, one list a port."""

    server: Stopping
    where: tuple[tuple[str, ...], ...]


Start = Callable[[Path, Path, tuple[Path, Path]], Probed]
POSTFIX_SAFE = {
    "mynetworks": "127.0.0.9/32",  # who probes is a stranger
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_recipient_restrictions": "",
    "smtpd_data_restrictions": "reject_unauth_pipelining",
    "disable_vrfy_command": "yes",
    "smtpd_forbid_bare_newline": "yes",
    "smtpd_tls_protocols": ">=TLSv1.2",
    "smtpd_client_connection_count_limit": "20",
    "smtpd_error_sleep_time": "0",  # the tests have no time to sleep
    "smtpd_hard_error_limit": "10",
    "virtual_alias_maps": "inline:{ postmaster@example.net=user@example.net }",
    "transport_maps": "inline:{ elsewhere.example=discard: }",
}
POSTFIX_UNSAFE = {
    "mynetworks": "0.0.0.0/0",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_recipient_restrictions": "",
    "disable_vrfy_command": "no",
    "smtpd_forbid_bare_newline": "no",
    "smtpd_tls_protocols": "!SSLv2",
    "smtpd_tls_ciphers": "low",
    "tls_low_cipherlist": "ALL:@SECLEVEL=0",
    "smtpd_soft_error_limit": "1000",
    "smtpd_hard_error_limit": "1000",
    "smtpd_junk_command_limit": "100000",
    "smtpd_recipient_limit": "100000",
    "smtpd_client_connection_count_limit": "0",
    "message_size_limit": "0",
    "transport_maps": "inline:{ elsewhere.example=discard: }",
}
EXIM_TLS = "tls_advertise_hosts = *\ntls_certificate = {cert}\ntls_privatekey = {key}\n"
EXIM_SAFE = """\
smtp_accept_max_per_host = 15
smtp_accept_max = 100
message_size_limit = 20M
recipients_max = 100
recipients_max_reject = true
smtp_max_unknown_commands = 3
tls_require_ciphers = SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2
"""
EXIM_UNSAFE = """\
smtp_accept_max = 0
message_size_limit = 0
recipients_max = 0
acl_smtp_vrfy = check_auth
acl_smtp_expn = check_auth
smtp_max_unknown_commands = 10000
smtp_max_synprot_errors = 10000
smtp_accept_max_nonmail = 10000
tls_require_ciphers = NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:%COMPAT
"""
EXIM_LOGIN = """\
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{admin}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
{condition}"""
DOVECOT = """
protocols = lmtp imap pop3
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
auth_failure_delay = 0
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""
DOVECOT_UNSAFE = """\
disable_plaintext_auth = no
ssl_min_protocol = TLSv1
ssl_cipher_list = ALL:@SECLEVEL=0
passdb {
  driver = static
  args = nopassword=y
}
"""


def _postfix(settings: dict[str, str]) -> Start:
    def start(unpacked: Path, folder: Path, certificate: tuple[Path, Path]) -> Probed:
        cert, key = certificate
        tls = {
            "smtpd_tls_cert_file": str(cert),
            "smtpd_tls_key_file": str(key),
            "smtpd_tls_security_level": "may",
        }
        server = Postfix(unpacked, folder, settings | tls)
        return Probed(server=server, where=(_smtp(server.port),))

    return start


def _exim(*, safe: bool) -> Start:
    def start(unpacked: Path, folder: Path, certificate: tuple[Path, Path]) -> Probed:
        cert, key = certificate
        main = EXIM_TLS.format(cert=_readable(cert, folder), key=_readable(key, folder)) + (
            EXIM_SAFE if safe else EXIM_UNSAFE
        )
        inside = "  server_advertise_condition = ${if def:tls_in_cipher}\n" if safe else ""
        login = EXIM_LOGIN.format(password="a-good-one" if safe else "admin", condition=inside)
        if safe:
            server = Exim(unpacked, folder, main=main, authenticators=login)
        else:
            everybody = "  accept\n"
            banner = "$primary_hostname ESMTP Exim $version_number"
            server = Exim(
                unpacked, folder, main=main, acl=everybody, auth_acl=everybody, authenticators=login, banner=banner
            )
        return Probed(server=server, where=(_smtp(server.port),))

    return start


def _opensmtpd(rules: str) -> Start:
    def start(unpacked: Path, folder: Path, certificate: tuple[Path, Path]) -> Probed:
        server = ProbedOpenSmtpd(unpacked, folder, *certificate, rules)
        return Probed(server=server, where=(_smtp(server.port),))

    return start


def _dovecot(*, safe: bool) -> Start:
    def start(unpacked: Path, folder: Path, certificate: tuple[Path, Path]) -> Probed:
        cert, key = certificate
        port = free_port()
        settings = DOVECOT.format(cert=cert, key=key, pop3=port)
        more = "disable_plaintext_auth = yes\nssl_min_protocol = TLSv1.2\n" if safe else DOVECOT_UNSAFE
        server = Dovecot(unpacked, folder, settings + more)
        # Dovecot trusts whoever has its own address, so that the stranger comes from another one.
        source = ("--source", "127.0.0.2")
        return Probed(
            server=server,
            where=((f"imap://127.0.0.1:{server.imap_port}", *source), (f"pop3://127.0.0.1:{port}", *source)),
        )

    return start


def _smtp(port: int) -> tuple[str, ...]:
    return (f"smtp://127.0.0.1:{port}", "--to", "user@example.net")


def _readable(file: Path, folder: Path) -> Path:
    """Exim reads its files as its own user."""
    own = folder / file.name
    own.write_bytes(file.read_bytes())
    own.chmod(0o644)
    return own


# neighbour, settings in words, how to start it
SETTINGS: dict[str, tuple[str, Start]] = {
    "Postfix, safe": ("postfix", _postfix(POSTFIX_SAFE)),
    "Postfix, unsafe": ("postfix", _postfix(POSTFIX_UNSAFE)),
    "Exim, safe": ("exim", _exim(safe=True)),
    "Exim, unsafe": ("exim", _exim(safe=False)),
    "OpenSMTPD, safe": ("opensmtpd", _opensmtpd(SAFE_RULES)),
    "OpenSMTPD, unsafe": ("opensmtpd", _opensmtpd(OPEN_RULES)),
    "Dovecot, safe": ("dovecot", _dovecot(safe=True)),
    "Dovecot, unsafe": ("dovecot", _dovecot(safe=False)),
}
