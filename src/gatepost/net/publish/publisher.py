"""The publisher by dynamic update: changes go to the zones' own server over TCP, signed with the key it shares with us.

In: `PublishSettings`, changes. Out: what stands there; what became of each zone's changes.
Standard: RFC 2136 (updates), RFC 8945 (TSIG), RFC 1035 §4.2.2 (TCP). The answer must be signed too: nobody on the way
can say "done". Not here: what is asked of the world's name servers (`net.resolver`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

from gatepost.errors import ConfigError, InputError
from gatepost.net.publish.key import load_key
from gatepost.net.publish.settings import PublishSettings
from gatepost.net.publish.update import absolute, key_trouble, outcome_of, type_of, write_update
from gatepost.net.records import name_text
from gatepost.net.resolver.servers import parse_server
from gatepost.ports import DnsStatus
from gatepost.ports.publisher import Change, Outcome, Published, Standing

_UNSIGNED = "an answer that nobody signed: the server has no such zone, or it does not know the key"


class NoAnswer(Exception):
    """There is no answer that can be believed; `str()` says why. `sent`: the question may have been heard."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        self.sent = sent
        super().__init__(reason)


class DnsPublisher:
    """One for a command or a task; it holds no connection. Raises ConfigError for settings that cannot work."""

    def __init__(self, settings: PublishSettings) -> None:
        if not settings.server:
            raise ConfigError("publish.server", "", "name the zones' primary name server, as 192.0.2.53")
        self._settings = settings
        self._host, self._port = parse_server(settings.server, "publish.server")
        self._key = load_key(settings)
        self._zones = tuple(_zone_name(text) for text in settings.zones)

    async def read(self, name: str, rtype: str) -> Standing:
        """What stands there now, by the server's own word."""
        asked = dns.message.make_query(absolute(name), type_of(rtype), flags=dns.flags.Flag(0))
        try:
            zone = await self._find_zone(absolute(name))
            answer = await self._ask(asked)
        except NoAnswer as error:
            return Standing(name=name, rtype=rtype, status=DnsStatus.TEMPFAIL, reason=str(error))
        return _standing(name, rtype, zone, answer)

    async def publish(self, changes: Sequence[Change]) -> tuple[Published, ...]:
        """Makes the changes. Raises InputError for a change that is none; nothing was sent then."""
        by_zone: dict[dns.name.Name | str, list[Change]] = {}
        for change in changes:
            write_update(dns.name.root, (change,), self._key)  # is it one at all?
            try:
                by_zone.setdefault(await self._find_zone(absolute(change.name)), []).append(change)
            except NoAnswer as error:
                by_zone.setdefault(str(error), []).append(change)
        return tuple([await self._publish(zone, tuple(found)) for zone, found in by_zone.items()])

    async def _publish(self, zone: dns.name.Name | str, changes: tuple[Change, ...]) -> Published:
        if isinstance(zone, str):
            return Published(zone="", changes=changes, outcome=Outcome.REFUSED, reason=zone)
        try:
            answer = await self._ask(write_update(zone, changes, self._key))
        except NoAnswer as error:
            outcome = Outcome.UNKNOWN if error.sent else Outcome.REFUSED
            return Published(zone=name_text(zone), changes=changes, outcome=outcome, reason=str(error))
        outcome, reason = outcome_of(answer.rcode())
        return Published(zone=name_text(zone), changes=changes, outcome=outcome, reason=reason)

    async def _find_zone(self, name: dns.name.Name) -> dns.name.Name:
        """The zone `name` is in: of those named the nearest above, else the one whose SOA the server shows. A name
        below a delegation is in nobody's zone here."""
        if self._zones:
            fits = [zone for zone in self._zones if name.is_subdomain(zone)]
            if not fits:
                raise NoAnswer(f"{name_text(name)} is in none of publish.zones", sent=False)
            return max(fits, key=len)
        answer = await self._ask(dns.message.make_query(name, dns.rdatatype.SOA, flags=dns.flags.Flag(0)))
        if answer.flags & dns.flags.AA:
            for found in (*answer.answer, *answer.authority):
                if found.rdtype == dns.rdatatype.SOA and name.is_subdomain(found.name):
                    return found.name
        raise NoAnswer(f"{self._settings.server} has no zone that {name_text(name)} is in", sent=False)

    async def _ask(self, question: dns.message.Message) -> dns.message.Message:
        """The server's signed answer. Raises NoAnswer."""
        if question.keyring is None:
            question.use_tsig(self._key)
        server, seconds = self._settings.server, self._settings.timeout
        try:
            async with asyncio.timeout(seconds):
                answer = await dns.asyncquery.tcp(question, self._host, port=self._port, timeout=seconds)
        except ConnectionRefusedError:
            raise NoAnswer(f"{server}: nobody listens there (TCP)", sent=False) from None
        except (TimeoutError, dns.exception.Timeout):
            raise NoAnswer(f"{server}: no answer within {seconds:g} seconds") from None
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadTime) as error:
            trouble = key_trouble(error)
            refused = f"{server}: {trouble}"
            raise NoAnswer(
                refused if trouble else f"{server}: an answer that our key did not sign", sent=not trouble
            ) from None
        except dns.exception.FormError:  # also what dnspython says of an answer without TSIG to a question with it
            raise NoAnswer(f"{server}: {_UNSIGNED}") from None
        except (dns.exception.DNSException, ValueError, EOFError) as error:
            raise NoAnswer(f"{server}: an answer that cannot be read ({type(error).__name__})") from None
        except OSError as error:
            raise NoAnswer(f"{server}: {error.strerror or error}", sent=False) from None
        if not answer.had_tsig:  # anybody on the way could have written it
            raise NoAnswer(f"{server}: {_UNSIGNED}")
        return answer


def _zone_name(text: str) -> dns.name.Name:
    try:
        return absolute(text)
    except InputError as error:
        raise ConfigError("publish.zones", text, error.remedy) from None


def _standing(name: str, rtype: str, zone: dns.name.Name, answer: dns.message.Message) -> Standing:
    code, where = answer.rcode(), name_text(zone)
    if code == dns.rcode.NXDOMAIN:
        return Standing(name=name, rtype=rtype, status=DnsStatus.NXDOMAIN, zone=where)
    if code != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
        reason = f"the server answers {dns.rcode.to_text(code)}, and not for a zone of its own"
        return Standing(name=name, rtype=rtype, status=DnsStatus.TEMPFAIL, zone=where, reason=reason)
    found: dns.rrset.RRset | None = answer.get_rrset(answer.answer, absolute(name), dns.rdataclass.IN, type_of(rtype))
    if found is None:
        return Standing(name=name, rtype=rtype, status=DnsStatus.NODATA, zone=where)
    records = tuple(sorted(record.to_text() for record in found))
    return Standing(name=name, rtype=rtype, status=DnsStatus.OK, records=records, ttl=found.ttl, zone=where)
