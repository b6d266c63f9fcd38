"""Counts that limits need over all worker processes: connections, connections of an address, octets in flight.

In: `enter`, `leave` and `hold` in each worker. Out: sums over all workers. One table of shared memory, made before the
workers fork; each writes its own column only, so there is no lock, and a dead worker's column is just cleared.
Addresses are counted in two rows of cells by a keyed hash, and the smaller sum holds (a count-min sketch): a table of
fixed size serves any number of addresses, nobody can choose an address that collides with another's, and a chance
collision would have to happen in both rows. Not here: what follows from a count (`protocol`).
"""

from __future__ import annotations

import hashlib
import ipaddress
import mmap
import secrets

_WIDTH = 4096  # cells in a row: 1,000 connections leave a chance of 1 in 20 that one address shares both its cells
_CONNECTIONS, _OCTETS, _ROWS = 0, 1, 2
_CELLS = _ROWS + 2 * _WIDTH


class CounterTable:
    """Shared memory for `columns` workers."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._key = secrets.token_bytes(16)
        self._cells = memoryview(mmap.mmap(-1, columns * _CELLS * 8)).cast("q")

    def column(self, index: int) -> Counters:
        """What worker `index` counts with."""
        if not 0 <= index < self.columns:
            raise IndexError(index)
        return Counters(self._cells, index, self._key)

    def clear(self, index: int) -> None:
        """Worker `index` is dead, and its connections with it."""
        start = index * _CELLS
        self._cells[start : start + _CELLS] = memoryview(bytes(_CELLS * 8)).cast("q")


class Counters:
    """One worker's column, and the sums over all."""

    __slots__ = ("_cells", "_key", "_start")

    def __init__(self, cells: memoryview[int], index: int, key: bytes) -> None:
        self._cells = cells
        self._start = index * _CELLS
        self._key = key

    def _sum(self, cell: int) -> int:
        return sum(self._cells[cell::_CELLS])

    def _cells_of(self, ip: str) -> tuple[int, int]:
        """The cell of `ip` in each row. An IPv6 client owns a /64 and may come from any address in it."""
        address = ipaddress.ip_address(ip)
        network = address.packed if address.version == 4 else address.packed[:8]
        digest = hashlib.blake2b(network, key=self._key, digest_size=8).digest()
        first, second = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big")
        return _ROWS + first % _WIDTH, _ROWS + _WIDTH + second % _WIDTH

    def _add(self, ip: str, amount: int) -> None:
        self._cells[self._start + _CONNECTIONS] += amount
        if ip:
            for cell in self._cells_of(ip):
                self._cells[self._start + cell] += amount

    def enter(self, ip: str) -> None:
        """A connection from `ip`, which may be empty (not counted by address)."""
        self._add(ip, 1)

    def leave(self, ip: str) -> None:
        """The same connection ended."""
        self._add(ip, -1)

    def hold(self, octets: int) -> None:
        """So many more octets of messages are held in memory; negative when they are let go."""
        self._cells[self._start + _OCTETS] += octets

    @property
    def connections(self) -> int:
        """Connections of all workers."""
        return self._sum(_CONNECTIONS)

    @property
    def octets(self) -> int:
        """Octets in flight in all workers."""
        return self._sum(_OCTETS)

    def connections_of(self, ip: str) -> int:
        """Connections of the address (of its /64 in IPv6) in all workers; never too few."""
        return min(self._sum(cell) for cell in self._cells_of(ip))
