"""The options of the directory: where accounts are kept, and how it is asked.

In: gatepost.toml, table [directory]. Out: `DirectorySettings`. Standard: RFC 4515 (filters), RFC 4516 (URLs).
Not here: asking (`postgresql`, `ldap`); the embedded accounts, which need no options (`store.accounts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlSettings:
    """What is asked of PostgreSQL. Queries run as they stand, with the address as a parameter: nothing is pasted."""

    recipient_query: str = "SELECT 1 FROM mailbox WHERE address = $1"
    """Answers a row when mail to the address $1 has a mailbox."""
    password_query: str = "SELECT address, password_hash FROM mailbox WHERE address = $1"  # noqa: S105 - a query
    """Answers one row for the name $1 that logs in: the account's address and the hash of its password (argon2, SCRAM
    verifier as PostgreSQL or Dovecot write it, {SSHA}, {SSHA256}, {SSHA512}). A query that names $2 gets the password
    and answers a row only when it is right: for hashes that only the database reads (pgcrypto)."""
    sender_query: str = ""
    """Answers a row when the account $1 may write as the address $2, besides its own. Empty: only what
    `gatepost user delegate` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapSettings:
    """What is asked of LDAP. In filters {address}, {local}, {domain} and {account} stand for what is looked for;
    it is escaped (RFC 4515)."""

    base: str = ""
    """Below which entry is searched: "ou=people,dc=example,dc=org"."""
    bind_dn: str = ""
    """As whom the searches are done; its password is in `password_file`. Empty: anonymously."""
    recipient_filter: str = "(mail={address})"
    """Finds an entry when mail to the address has a mailbox."""
    login_filter: str = "(mail={address})"
    """Finds the one entry of who logs in; the password is right when the server lets him bind as it."""
    account_attribute: str = "mail"
    """The attribute of that entry whose first value is the account's address."""
    sender_filter: str = ""
    """Finds an entry when {account} may write as {address}, besides its own, as in
    "(&(mail={account})(mailAlternateAddress={address}))". Empty: only what `gatepost user delegate` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """Where accounts and passwords are. While the directory does not answer, mail is asked to come later (451), and who
    logs in is too (454): nobody is called unknown, and nobody gets in."""

    kind: Literal["embedded", "postgresql", "ldap"] = "embedded"
    """"embedded": the accounts of `gatepost user`. "postgresql" (extra `cluster`) and "ldap" (extra `ldap`) know
    recipients and passwords; what `gatepost user` says of suspensions, delegations, limits and certificates holds."""
    home: str = ""
    """The domain of those who log in with a name without @. Empty: they must give a whole address."""
    url: str = ""
    """Where it is: "postgresql://gatepost@db.example.org/mail", "postgresql:///mail?host=/run/postgresql",
    "ldaps://ldap.example.org", "ldap://ldap.example.org" (then STARTTLS)."""
    password_file: str = ""
    """A file with our own password for the directory, on its first line, readable by the gate's user alone."""
    tls: Literal["verified", "any", "none"] = "verified"
    """How the connection is kept secret: "verified" demands a certificate that is right, "any" takes any, "none" is for
    this machine alone: passwords cross in the clear. Sockets of this machine never use TLS."""
    ca_file: str = ""
    """The authority (PEM) of the directory's certificate. Empty: those of the system."""
    timeout: float = 5.0
    """Seconds that one question may take, connecting included."""
    connections: int = 4
    """Connections that one process keeps to it at most."""
    cache_positive: int = 300
    """Seconds that "this recipient exists" is believed. Passwords are never kept."""
    cache_negative: int = 60
    """Seconds that "there is no such recipient" is believed."""
    postgresql: PostgresqlSettings = field(default_factory=PostgresqlSettings)
    """Queries, for kind "postgresql"."""
    ldap: LdapSettings = field(default_factory=LdapSettings)
    """Searches, for kind "ldap"."""
