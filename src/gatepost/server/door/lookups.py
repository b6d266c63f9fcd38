"""Look-ups about a client, begun before the greeting: its reverse name, the block lists.

In: an address, the resolver, whoever asks lists. Out: what was found in time. No answer speaks against nobody.
Standard: RFC 8601 §3 (iprev), RFC 5782 (lists). Not here: what follows (`door`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from gatepost.msgauth.iprev import IprevResult, IprevResultWord, check_iprev
from gatepost.ports import Resolver

T = TypeVar("T")
AskLists = Callable[[str], Awaitable[tuple[str, ...]]]
"""The names of the block lists that have an address; empty where none has, or none answered."""


class LookedUp(NamedTuple):
    """`reverse` is what is wrong with the reverse name, in words; empty where nothing is, or nobody knows."""

    reverse: str = ""
    listed: tuple[str, ...] = ()


async def look_up(ip: str, resolver: Resolver | None, ask_lists: AskLists | None, timeout: float) -> LookedUp:
    """Everything that is asked for, at once. Never raises."""
    reverse, listed = await asyncio.gather(
        _within(timeout, check_iprev(ip, resolver)) if resolver is not None else _nothing(),
        _within(timeout, ask_lists(ip)) if ask_lists is not None else _nothing(),
    )
    return LookedUp(_trouble(reverse) if reverse is not None else "", listed or ())


async def _within(timeout: float, asked: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(timeout):
            return await asked
    except TimeoutError:
        return None


async def _nothing() -> None:
    return None


def _trouble(found: IprevResult) -> str:
    if found.result is IprevResultWord.PERMERROR and not found.names:
        return "its address has no name in reverse DNS"
    if found.result in (IprevResultWord.FAIL, IprevResultWord.PERMERROR):
        return f"its address is called {found.names[0]} in reverse DNS, but that name does not lead back"
    return ""  # a pass, or nobody knows
