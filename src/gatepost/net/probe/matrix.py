"""Which versions of TLS and which suites a server accepts, and whether it sends an OCSP answer.

In: a way to open channels that are ready for a handshake. Out: `VersionSeen`s, a staple.
Standard: as in `hello`. "versions" costs a connection for each version and each group of weak suites; "suites" one for
each suite that is accepted, since a server tells only which one it likes best of those offered.
Not here: the octets (`hello`), politeness (`prober`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gatepost.net.probe.channel import Channel, Trouble
from gatepost.net.probe.hello import Alert, Need, NoTls, ServerHello, read_answer, write_hello
from gatepost.net.probe.suites import VERSIONS, name_of, suites_of, weak_suites_of
from gatepost.ports import VersionSeen

Open = Callable[[], Awaitable[Channel]]
MAX_SUITES = 64  # accepted suites of one version that are told
# RFC 8446 §6.2: alerts that answer the offer; others (an internal error, say) say nothing of it.
_REFUSALS = frozenset((40, 47, 70, 71, 80, 86, 109, 112, 120))


async def look_at_versions(open_channel: Open, host: str, *, every_suite: bool) -> tuple[VersionSeen, ...]:
    """From SSL 3.0 to TLS 1.3."""
    found = []
    for version in VERSIONS:
        found.append(await _version(open_channel, host, version, every_suite=every_suite))
    return tuple(found)


async def _version(open_channel: Open, host: str, version: str, *, every_suite: bool) -> VersionSeen:
    try:
        first = await _ask(open_channel, host, version, suites_of(version))
        if first is None:
            return VersionSeen(version=version, accepted=False)
    except (Trouble, NoTls) as trouble:
        return VersionSeen(version=version, accepted=None, reason=str(trouble))
    suites = [first.suite]
    try:
        groups = [suites_of(version)] if every_suite else [] if version == "TLSv1.3" else weak_suites_of(version)
        for group in groups:
            await _exhaust(open_channel, host, version, group, suites, every_suite=every_suite)
    except (Trouble, NoTls) as trouble:
        return VersionSeen(version=version, accepted=True, suites=_names(suites), reason=str(trouble))
    return VersionSeen(version=version, accepted=True, suites=_names(suites))


def _names(suites: Sequence[int]) -> tuple[str, ...]:
    return tuple(name_of(suite) for suite in dict.fromkeys(suites))


async def _exhaust(
    open_channel: Open, host: str, version: str, group: Sequence[int], found: list[int], *, every_suite: bool
) -> None:
    """Adds what the server accepts of `group`: all of it, or the one it likes best."""
    left = [suite for suite in group if suite not in found]
    while left and len(found) < MAX_SUITES:
        hello = await _ask(open_channel, host, version, left)
        if hello is None or hello.suite not in left:
            return
        found.append(hello.suite)
        left.remove(hello.suite)
        if not every_suite:
            return


async def _ask(open_channel: Open, host: str, version: str, suites: Sequence[int]) -> ServerHello | None:
    """The server's choice; None when it refuses the version or all of the suites. Raises Trouble, NoTls."""
    answer = await _answer(open_channel, write_hello(version, suites, host))
    if isinstance(answer, ServerHello):
        return answer if answer.version == VERSIONS[version] else None
    if answer is not None and answer.description not in _REFUSALS:
        raise Trouble(f"the server ends the handshake with alert {answer.description}")
    return None


async def _answer(open_channel: Open, hello: bytes, *, whole: bool = False) -> ServerHello | Alert | None:
    """None when the server closes without a word, as some do to refuse."""
    channel = await open_channel()
    received = b""
    try:
        await channel.write(hello)
        while True:
            octets = await channel.read()
            received += octets
            answer = read_answer(received, whole=whole and bool(octets))
            if answer is not Need.MORE:
                return answer
            if not octets:
                return None
    except Trouble as trouble:
        if "broke the connection off" in str(trouble):
            return None
        raise
    finally:
        await channel.close()


async def look_for_staple(open_channel: Open, host: str) -> tuple[bytes | None, bool]:
    """The OCSP answer, and whether it could have been seen: TLS 1.3 would encrypt it."""
    hello = write_hello("TLSv1.2", suites_of("TLSv1.2")[::-1], host, status=True)
    try:
        answer = await _answer(open_channel, hello, whole=True)
    except (Trouble, NoTls):
        return None, False
    if not isinstance(answer, ServerHello):
        return None, False
    return answer.staple, bool(answer.chain)
