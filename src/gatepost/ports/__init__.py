"""The ports: what pure rooms ask of the world, as protocols, and the values that come back.

A file a port: `dns` (Resolver), `content` (Opener), `scanner` (Scanner), `fetcher` (Fetcher), `history` (History),
`memory` (Memory), `locator` (Locator), `directory` (Directory), `pages` (Pages), `prober` (Prober),
`publisher` (Publisher).
Not here: who answers (`net`, `sandbox`, `store`); the houses hand them in.
"""

from gatepost.ports.content import Item, Link, Opened, Opener, Text, Trait, Trouble
from gatepost.ports.directory import BlockingDirectory, Directory, Identity, ScramVerifier
from gatepost.ports.dns import Answer, DnsStatus, Mx, Question, Record, Resolver
from gatepost.ports.fetcher import Fetcher, Followed
from gatepost.ports.history import Acquaintance, History
from gatepost.ports.locator import Locator, Place
from gatepost.ports.memory import Counts, Learned, Memory
from gatepost.ports.pages import Page, Pages
from gatepost.ports.prober import Answered, Prober, Service, Spoken, Target, TlsSeen, VersionSeen
from gatepost.ports.publisher import Action, Change, Outcome, Published, Publisher, Standing, undo
from gatepost.ports.scanner import Scanned, Scanner, ScanStatus

__all__ = [
    "Acquaintance",
    "Action",
    "Answer",
    "Answered",
    "BlockingDirectory",
    "Change",
    "Counts",
    "Directory",
    "DnsStatus",
    "Fetcher",
    "Followed",
    "History",
    "Identity",
    "Item",
    "Learned",
    "Link",
    "Locator",
    "Memory",
    "Mx",
    "Opened",
    "Opener",
    "Outcome",
    "Page",
    "Pages",
    "Place",
    "Prober",
    "Published",
    "Publisher",
    "Question",
    "Record",
    "Resolver",
    "ScanStatus",
    "Scanned",
    "Scanner",
    "ScramVerifier",
    "Service",
    "Spoken",
    "Standing",
    "Target",
    "Text",
    "TlsSeen",
    "Trait",
    "Trouble",
    "VersionSeen",
    "undo",
]
