"""Where the certificates that we get ourselves are kept: keys, chains, challenges; all for the gate's user alone.

In: settings. Out: paths; files that are whole or not there. `current` is a link to the folder of the certificate in
use, so that chain and key change in one step. Standard: RFC 7468 (PEM). Not here: what is in them (`order`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatepost.server.settings import GateSettings


def certificate_folder(settings: GateSettings) -> Path:
    """The folder of certificates."""
    return Path(settings.store.folder) / "certificates"
