"""A real OpenDKIM on loopback, as the milter that signs what a Postfix sends.

In: a folder, a domain, a selector. Out: `OpenDkim` with its port, the milter's address and the DNS record of its key.
Configuration: opendkim.conf(5).
"""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

from neighbour import Running, free_port, wait_for_port

CONFIGURATION = """\
Mode s
Socket inet:{port}@127.0.0.1
Domain {domain}
Selector {selector}
KeyFile {key}
Canonicalization {canonicalization}
InternalHosts 127.0.0.0/8
RequireSafeKeys no
Background no
Syslog no
"""


def make_key(openssl: str, folder: Path) -> tuple[Path, str]:
    """An RSA key of 2048 bits: its file, and the text of its DNS record (RFC 6376 §3.6.1)."""
    key = folder / "dkim.key"
    subprocess.run([openssl, "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True)
    public = subprocess.run(
        [openssl, "rsa", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True
    ).stdout
    text = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    return key, " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))


class OpenDkim:
    """Started at construction."""

    def __init__(
        self, program: str, folder: Path, key: Path, domain: str, selector: str, canonicalization: str
    ) -> None:
        self.port = free_port()
        self.milter = f"inet:127.0.0.1:{self.port}"
        text = CONFIGURATION.format(
            port=self.port, domain=domain, selector=selector, key=key, canonicalization=canonicalization
        )
        (folder / "opendkim.conf").write_text(text)
        self._running = Running([program, "-f", "-x", str(folder / "opendkim.conf")], folder)
        wait_for_port(self.port)

    def stop(self) -> None:
        """Ends it."""
        self._running.stop()
