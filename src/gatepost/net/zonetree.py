"""The names of some zones as a tree, and what stands at each.

In: master-file text. Out: the node of a name, real or made from a wildcard; the TTL of a negative answer.
Standard: RFC 1035 §5 (master files), RFC 4592 (wildcards, empty non-terminals), RFC 2308 §5 (negative TTL).
Not here: answers (`net.zone`, `lab.dns`). There is no delegation: all names below the root are answered as if one
server held them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatepost.errors import InputError
from gatepost.net.masterfile import Labels, Rrset, read_master_file
from gatepost.net.records import BadName, parse_name

DEFAULT_TTL = 300  # seconds, for records without one, and for negative answers without a SOA
_RTYPE = re.compile(r"[A-Z0-9-]{1,20}")

Node = dict[str, Rrset]  # by type; empty for a name that only has names below it


class ZoneTree:
    """Every name in the text and above it. Raises `InputError` with the line for text that is no zone."""

    def __init__(self, zone_text: str, origin: str = ".") -> None:
        labels_or_error("origin", origin)
        self._nodes: dict[Labels, Node] = {(): {}}
        for (labels, rtype), rrset in read_master_file(zone_text, origin, default_ttl=DEFAULT_TTL).items():
            self._nodes.setdefault(labels, {})[rtype] = rrset
            for above in range(1, len(labels)):
                self._nodes.setdefault(labels[above:], {})  # exists, though empty (RFC 4592 §2.2.2)

    def find(self, labels: Labels) -> Node | None:
        """The node for `labels`, perhaps from a wildcard (RFC 4592 §3.3.1), None when there is no such name."""
        node = self._nodes.get(labels)
        if node is not None:
            return node
        for above in range(1, len(labels) + 1):
            if labels[above:] in self._nodes:  # the closest encloser; a wildcard higher up does not count
                return self._nodes.get((b"*", *labels[above:]))
        return None

    def find_soa(self, labels: Labels) -> tuple[Labels, Rrset] | None:
        """The apex of the zone that `labels` is in and its SOA, if the text has one."""
        for above in range(len(labels) + 1):
            soa = self._nodes.get(labels[above:], {}).get("SOA")
            if soa:
                return labels[above:], soa
        return None

    def negative_ttl(self, labels: Labels) -> int:
        """RFC 2308 §5: the lesser of the SOA's own TTL and its MINIMUM field."""
        found = self.find_soa(labels)
        return min(found[1].ttl, int(str(found[1].records[0]).rsplit(" ", 1)[1])) if found else DEFAULT_TTL


def parse_faults(entries: Iterable[str], reason: str) -> dict[tuple[Labels, str], str]:
    """ "name" or "name TYPE" to the reason; type "" is every type."""
    faults = {}
    for entry in entries:
        name, _, rtype = entry.strip().partition(" ")
        rtype = rtype.strip().upper()
        if rtype and not _RTYPE.fullmatch(rtype):
            raise InputError("fault", entry, 'write "name" or "name TYPE"')
        faults[labels_or_error("fault", name), rtype] = reason
    return faults


def labels_or_error(field: str, name: str) -> Labels:
    """The labels of `name`, or `InputError`."""
    try:
        return parse_name(name)
    except BadName as error:
        raise InputError(field, name, str(error)) from error
