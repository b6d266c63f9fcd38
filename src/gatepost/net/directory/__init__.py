"""Other directories than our own: who gets mail and who may log in, asked of PostgreSQL or LDAP.

In: `DirectorySettings`. Out: `ExternalDirectory`, which answers `ports.Directory` and `ports.AddressBook`.
Files: `settings`, `postgresql`, `ldap`, `ldap_connection`, `hashes` (what PostgreSQL keeps), `cache`, `secure` (TLS,
our own password). Not here: the embedded accounts (`store.accounts`), what holds for all (`server.directory`).
"""

from __future__ import annotations

from gatepost.errors import ConfigError
from gatepost.net.directory.cache import RecipientCache
from gatepost.net.directory.ldap import LdapDirectory, check_ldap
from gatepost.net.directory.postgresql import PostgresqlDirectory, check_postgresql
from gatepost.net.directory.secure import own_password
from gatepost.net.directory.settings import DirectorySettings

ExternalDirectory = PostgresqlDirectory | LdapDirectory

__all__ = ["DirectorySettings", "ExternalDirectory", "RecipientCache", "check_directory", "open_directory"]


def open_directory(settings: DirectorySettings) -> ExternalDirectory | None:
    """The directory that the settings name, not connected yet; None for the embedded one. Raises ConfigError."""
    if settings.kind == "embedded":
        return None
    password = own_password(settings)
    return (PostgresqlDirectory if settings.kind == "postgresql" else LdapDirectory)(settings, password)


def check_directory(settings: DirectorySettings) -> None:
    """Raises ConfigError for what can be seen to be wrong without asking."""
    if settings.kind == "embedded":
        return
    if not settings.url:
        raise ConfigError("directory.url", "", f"say where the {settings.kind} directory is")
    own_password(settings)
    (check_postgresql if settings.kind == "postgresql" else check_ldap)(settings)
