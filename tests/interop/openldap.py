"""A real OpenLDAP (slapd) on loopback: plain with StartTLS, ldaps, and a socket; in a private folder.

In: a folder, entries as LDIF, a certificate. Out: `OpenLdap` with its ports; it can be stopped and started.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from neighbour import Running, free_port, wait_for_port

CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
localSSF 128
allow bind_anon_dn
security simple_bind=128
database mdb
suffix "dc=example,dc=org"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=gate,dc=example,dc=org" read by * none
"""


def ssha(password: str) -> str:
    """The hash that OpenLDAP keeps by default."""
    salt = os.urandom(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()


class OpenLdap:
    """A bind is taken inside TLS or on the socket only."""

    def __init__(self, program: str, folder: Path, ldif: str, *, authority: bytes, chain: bytes, key: bytes) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self._program = program
        folder.chmod(0o755)
        (folder / "data").mkdir()
        for name, octets in (("ca.pem", authority), ("server.pem", chain), ("server.key", key)):
            (folder / name).write_bytes(octets)
        text = CONFIGURATION.format(folder=folder)
        (folder / "slapd.conf").write_text(text)
        (folder / "entries.ldif").write_text(ldif)
        add = [str(Path(program).with_name("slapadd")), "-q", "-f", str(folder / "slapd.conf")]
        done = subprocess.run([*add, "-l", str(folder / "entries.ldif")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, "openldap", "openldap")
        self.start()

    @property
    def socket_url(self) -> str:
        """Its socket, as ldapi: URL."""
        return "ldapi://" + str(self.folder / "ldapi").replace("/", "%2F")

    def start(self) -> None:
        """Starts it and waits until it listens."""
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port} {self.socket_url}"
        user = ["-u", "openldap", "-g", "openldap"] if os.geteuid() == 0 else []
        command = [self._program, "-f", str(self.folder / "slapd.conf"), "-h", urls, *user, "-d", "0"]
        self._running = Running(command, self.folder)
        wait_for_port(self.tls_port)

    def stop(self) -> None:
        self._running.stop()
