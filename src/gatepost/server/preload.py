"""What would be imported late is imported early: once root is dropped, the interpreter's own files may be out of reach.

In: whether certificates are got by ACME. Out: modules in memory, shared by all processes that are forked later. A
Python below /root, or a folder that only root may enter, else fails on the first message that needs a codec or a module
nobody needed before.
Not here: dropping root (`privileges`).
"""

from __future__ import annotations

import codecs
import encodings.aliases
import importlib

from gatepost.inspector.classifier.start import start_model
from gatepost.inspector.links.lists import load_lists

LATE = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "httpx2",
    "idna",
    "prometheus_client.core",
    "prometheus_client.exposition",
    "traceback",
    "uvloop",
    "wsgiref.simple_server",
)
# What the process of certificates needs, besides what its libraries load when they are asked.
ACME = (
    "acme.challenges",
    "acme.client",
    "acme.crypto_util",
    "dns._asyncio_backend",
    "dns.asyncquery",
    "dns.rdtypes.ANY.SOA",
    "dns.rdtypes.ANY.TLSA",
    "dns.rdtypes.ANY.TSIG",
    "dns.rdtypes.ANY.TXT",
    "dns.rdtypes.IN",
    "dns.update",
    "josepy",
    "netrc",
    "requests",
)


def preload(*, acme: bool = False) -> None:
    """Imports modules and codecs; what is not installed is left out."""
    for name in (*LATE, *ACME) if acme else LATE:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    load_lists()
    start_model()  # the largest thing that all processes read and none changes
    for codec in sorted(set(encodings.aliases.aliases.values())):
        try:
            codecs.lookup(codec)
        except LookupError:
            continue
