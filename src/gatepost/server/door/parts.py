"""The door's parts, put together from the settings; what is off is not there.

In: the settings, this worker's column of the rates, the resolver, the store's folder. Out: `DoorParts`.
A store that cannot be opened switches its check off and is told of: mail goes on. Standard: none.
Not here: what the parts do (the files beside this one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.names import domain_of
from gatepost.ports import Resolver
from gatepost.reputation import LocalEntry
from gatepost.server.door.bans import LiveBans
from gatepost.server.door.greylist import Greylisting
from gatepost.server.door.limits import Limits
from gatepost.server.door.lookups import AskLists
from gatepost.server.door.networks import home_of
from gatepost.server.door.rates import Rates
from gatepost.server.door.settings import DoorSettings, GreylistSettings
from gatepost.server.door.shared import SharedAddresses
from gatepost.server.door.tarpit import Tarpit
from gatepost.server.door.teller import Teller
from gatepost.server.settings import GateSettings
from gatepost.server.smtp.networks import Networks
from gatepost.server.spelling import ascii_domain
from gatepost.store.bans import Bans
from gatepost.store.greylist import Greylist

OwnEntry = Callable[[str], LocalEntry | None]
"""What `gatepost lists add` says of an address now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorParts:
    """`resolver` is None where reverse names are not asked for, `ask_lists` where lists are not. `own_entry` is the
    house's own word on an address."""

    settings: DoorSettings
    own_names: frozenset[str]
    is_exempt: Callable[[str], bool]
    is_exempt_recipient: Callable[[str], bool]
    bans: LiveBans
    limits: Limits | None
    greylisting: Greylisting | None
    tarpit: Tarpit
    shared: SharedAddresses
    resolver: Resolver | None
    spf_resolver: Resolver
    ask_lists: AskLists | None
    own_entry: OwnEntry
    teller: Teller


def own_networks(settings: GateSettings) -> tuple[str, ...]:
    """Networks that no check is about and that are never banned."""
    return (*settings.door.exempt, *settings.inspector.trusted_relays, *settings.smtp.xclient_networks)


def make_parts(
    settings: GateSettings,
    *,
    rates: Rates,
    resolver: Resolver,
    folder: Path,
    teller: Teller,
    ask_lists: AskLists | None = None,
    own_entry: OwnEntry = lambda ip: None,
) -> DoorParts:
    """The parts that `settings` ask for."""
    door = settings.door
    return DoorParts(
        settings=door,
        own_names=frozenset(ascii_domain(name) for name in (settings.hostname, *settings.domains)),
        is_exempt=lru_cache(maxsize=4096)(Networks(own_networks(settings)).__contains__),
        is_exempt_recipient=_recipients_test(door.exempt_recipients),
        bans=LiveBans(_open_bans(folder, teller), door.bans, rates, teller.store_failed),
        limits=Limits(door.rates, rates) if door.rates.mode != "off" else None,
        greylisting=_open_greylist(door.greylist, folder, teller),
        tarpit=Tarpit(door.tarpit),
        shared=SharedAddresses(door.shared_peers),
        resolver=resolver if door.reverse_dns != "off" else None,
        spf_resolver=resolver,
        ask_lists=ask_lists if door.lists != "off" else None,
        own_entry=own_entry,
        teller=teller,
    )


def _recipients_test(exempt: tuple[str, ...]) -> Callable[[str], bool]:
    """Addresses and domains, in any case."""
    if not exempt:
        return lambda address: False
    addresses = {entry.lower() for entry in exempt if "@" in entry}
    domains = {ascii_domain(entry) for entry in exempt if "@" not in entry}
    return lambda address: address.lower() in addresses or ascii_domain(domain_of(address)) in domains


def _open_bans(folder: Path, teller: Teller) -> Bans | None:
    try:
        return Bans.open(folder)
    except StoreError as error:
        teller.store_failed("opening the bans", error)
        return None


def _open_greylist(settings: GreylistSettings, folder: Path, teller: Teller) -> Greylisting | None:
    if settings.mode == "off":
        return None
    try:
        memory = Greylist.open(
            folder,
            delay=settings.delay,
            retry_window=settings.retry_window,
            keep=settings.keep,
            max_rows=settings.max_rows,
        )
    except StoreError as error:
        teller.store_failed("opening the greylist", error)
        return None
    return Greylisting(settings, memory)


def describe(settings: GateSettings) -> str:
    """Which checks do what, in one line for `serve --check`."""
    door = settings.door
    modes = {
        "early talk": door.early_talker if door.greet_delay > 0 else "off",
        "pipelining": door.pipelining,
        "HELO": door.hello,
        "reverse names": door.reverse_dns,
        "lists": door.lists if settings.lists.use else "off",
        "tarpit": door.tarpit.mode,
        "greylist": door.greylist.mode,
        "rates": door.rates.mode,
        "bans": door.bans.mode,
    }
    by_mode = {mode: [name for name, found in modes.items() if found == mode] for mode in ("on", "watch", "off")}
    words = [f"{mode}: {', '.join(names)}" for mode, names in by_mode.items() if names]
    private = [text for text in own_networks(settings) if not text.startswith(("127.", "::1")) and _is_private(text)]
    if private:
        words.append(f"exempt though private, and a container's bridge may hide strangers there: {', '.join(private)}")
    return "; ".join(words)


def _is_private(text: str) -> bool:
    return home_of(str(ip_network(text, strict=False).network_address)).private
