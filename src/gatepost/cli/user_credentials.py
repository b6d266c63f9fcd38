"""`gatepost user app-password | certificate`: what proves an account besides its password.

In: an account, a name with scopes, a certificate's file, fingerprint or subject. Out: a password, once; tables or JSON.
Standard: RFC 4422 App. A (EXTERNAL), RFC 4514 (subjects). Not here: logging in with them (`store.accounts.directory`).
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.user_store import account_argument, is_elsewhere, known, opened, say_changed, say_each
from gatepost.errors import InputError

MAX_FILE = 1 << 20  # octets of a certificate


@click.group("app-password")
def app_password() -> None:
    """Passwords for one program each, good for some things only."""


@app_password.command("add")
@gate_option
@json_option
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("submit",),
    show_default=True,
    metavar="SCOPE",
    help="submit, imap or pop3; may be repeated.",
)
@account_argument
@click.argument("name")
def add_app_password(config: Path, as_json: bool, scopes: tuple[str, ...], account: str, name: str) -> None:
    """Draw a password for ACCOUNT, named after where it is used; it is printed once."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        password = accounts.app_passwords.add(address, name, scopes, time.time(), elsewhere=is_elsewhere(settings))
        made = next(one for one in accounts.app_passwords.all(address) if one.name == name.strip())
    if as_json:
        click.echo(json.dumps({**made.as_json(), "password": password}))
        return
    click.echo(f"{address}: {made.name}, good for {' '.join(made.scopes)}\nIts password: {password}   (shown only now)")


@app_password.command("list")
@gate_option
@json_option
@account_argument
def list_app_passwords(config: Path, as_json: bool, account: str) -> None:
    """Those of ACCOUNT, what they are good for and when they were last used."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        found = accounts.app_passwords.all(known(settings, accounts, account))
    columns = {"name": "name", "scopes": "good for", "created_at": "made", "last_used": "last used"}
    say_each(found, as_json, columns, "There are none.")


@app_password.command("remove")
@gate_option
@json_option
@account_argument
@click.argument("name")
def remove_app_password(config: Path, as_json: bool, account: str, name: str) -> int:
    """Take one away; who uses it cannot log in with it again."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        accounts.app_passwords.remove(address, name)
    return say_changed(address, True, as_json, f"{name} is no longer a password of it", "")


@click.group()
def certificate() -> None:
    """Client certificates that prove an account (EXTERNAL)."""


@certificate.command("add")
@gate_option
@json_option
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), metavar="PEM", help="The certificate itself.")
@click.option("--fingerprint", default="", metavar="HEX", help="Its SHA-256.")
@click.option(
    "--subject", default="", metavar="DN", help="Its subject, as CN=Ann,O=Example: only with an authority set."
)
@account_argument
def add_certificate(
    config: Path, as_json: bool, file: Path | None, fingerprint: str, subject: str, account: str
) -> None:
    """Bind a certificate to ACCOUNT: this one (file, fingerprint), or any of a subject that our authority signed."""
    given = [
        name for name, value in (("--file", file), ("--fingerprint", fingerprint), ("--subject", subject)) if value
    ]
    if len(given) != 1:
        raise InputError("certificate", " ".join(given) or "nothing", "give one of --file, --fingerprint, --subject")
    settings = read_gate(config)
    kind = "subject" if subject else "fingerprint"
    value = subject or fingerprint or _fingerprint_of(file or Path())
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        made = accounts.certificates.add(address, kind, value, time.time(), elsewhere=is_elsewhere(settings))
    click.echo(json.dumps(made.as_json()) if as_json else f"{address}: bound to {made.kind} {made.value}")


@certificate.command("list")
@gate_option
@json_option
@click.argument("account", metavar="[ACCOUNT]", required=False, default="")
def list_certificates(config: Path, as_json: bool, account: str) -> None:
    """Those of ACCOUNT, or everybody's."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        found = accounts.certificates.all(known(settings, accounts, account) if account else None)
    columns = {"account": "account", "kind": "by", "value": "certificate", "added_at": "bound"}
    say_each(found, as_json, columns, "There are none.")


@certificate.command("remove")
@gate_option
@json_option
@account_argument
@click.argument("value", metavar="FINGERPRINT|SUBJECT")
def remove_certificate(config: Path, as_json: bool, account: str, value: str) -> int:
    """Unbind a certificate."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        accounts.certificates.remove(address, value)
    return say_changed(address, True, as_json, "the certificate is no longer bound", "")


def _fingerprint_of(path: Path) -> str:
    """The SHA-256 of the (first) certificate in a file, PEM or DER. Raises InputError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        with path.open("rb") as file:
            octets = file.read(MAX_FILE)
        is_pem = b"-----BEGIN" in octets
        found = x509.load_pem_x509_certificate(octets) if is_pem else x509.load_der_x509_certificate(octets)
    except OSError as error:
        raise InputError("--file", path, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError("--file", path, "holds no certificate, in PEM or DER") from None
    return found.fingerprint(SHA256()).hex()
