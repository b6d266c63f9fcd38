"""`DnsResolver` against a server on loopback that replies, drops, truncates and fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import pytest
import uvloop
from dns_server import Clock, Reply, Script, ScriptedServer, ask_once, play, reply_to

from gatepost.net.resolver import BudgetedResolver, DnsResolver, ResolverSettings
from gatepost.ports import DnsStatus, Mx, Question

SOA = "example. 60 SOA ns.example. h.example. 1 2 3 4 30"
RUNNERS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


def says(*records: str, **options: object) -> Script:
    """Always the same reply."""

    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield reply_to(query, *records, **options).to_wire()  # type: ignore[arg-type]

    return script


@pytest.mark.parametrize(
    ("rtype", "rdata", "record"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8::0:1", "2001:db8::1"),
        ("TXT", '"v=spf1" " -all"', b"v=spf1 -all"),
        ("MX", "10 Mail.Example.", Mx(10, "mail.example")),
        ("MX", "0 .", Mx(0, ".")),
        ("PTR", "Host.Example.", "host.example"),
        ("NS", "ns.example.", "ns.example"),
        ("CNAME", "b.example.", "b.example"),
        ("TLSA", "3 1 1 " + "ab" * 32, "3 1 1 " + "ab" * 32),
    ],
)
def test_decoded_records(rtype: str, rdata: str, record: object) -> None:
    answer = ask_once(says(f"a.example. 300 {rtype} {rdata}"), rtype=rtype)
    assert (answer.status, answer.records, answer.ttl) == (DnsStatus.OK, (record,), 300)
    assert answer.question == Question("a.example", rtype)


@RUNNERS
def test_a_second_question_is_answered_from_memory(run: Callable[..., object]) -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        first = await resolver.lookup("A.Example.", "a")
        assert await resolver.lookup("a.example", "A") is first
        assert server.asked["udp"] == 1
        clock.now += 301
        assert (await resolver.lookup("a.example", "A")).names == ("192.0.2.1",)
        assert server.asked["udp"] == 2

    play(says("a.example. 300 A 192.0.2.1"), steps, run)


@pytest.mark.parametrize(("code", "status"), [(0, DnsStatus.NODATA), (3, DnsStatus.NXDOMAIN)])
def test_no_is_kept_as_long_as_the_soa_says(code: int, status: DnsStatus) -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        answer = await resolver.lookup("a.example", "A")
        assert (answer.status, answer.ttl) == (status, 30)  # RFC 2308 §5: the lesser of TTL and MINIMUM
        clock.now += 29
        await resolver.lookup("a.example", "A")
        assert server.asked["udp"] == 1
        clock.now += 2
        await resolver.lookup("a.example", "A")
        assert server.asked["udp"] == 2

    play(says(code=code, authority=(SOA,)), steps)


@pytest.mark.parametrize("authority", [(), ("other.example. 60 SOA ns.example. h.example. 1 2 3 4 30",)])
def test_no_without_the_zones_soa_is_not_kept(authority: tuple[str, ...]) -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        await resolver.lookup("a.example", "A")
        await resolver.lookup("a.example", "A")
        assert server.asked["udp"] == 2

    play(says(code=3, authority=authority), steps)


def test_a_chain_of_cnames_is_followed_and_its_least_ttl_counts() -> None:
    answer = ask_once(says("a.example. 50 CNAME b.example.", "b.example. 40 CNAME c.net.", "c.net. 90 A 192.0.2.3"))
    assert (answer.names, answer.ttl) == (("192.0.2.3",), 40)


def test_a_chain_that_ends_nowhere_is_no_data_or_no_name() -> None:
    assert ask_once(says("a.example. 50 CNAME b.example.")).status is DnsStatus.NODATA
    assert ask_once(says("a.example. 50 CNAME b.example.", code=3)).status is DnsStatus.NXDOMAIN


def test_a_circle_of_cnames_is_a_failure() -> None:
    answer = ask_once(says("a.example. 50 CNAME b.example.", "b.example. 50 CNAME a.example."))
    assert answer.status is DnsStatus.TEMPFAIL
    assert "chain" in answer.reason


@pytest.mark.parametrize(("code", "says_so"), [(2, "SERVFAIL"), (5, "REFUSED"), (1, "FORMERR"), (9, "RCODE 9")])
def test_a_failure_is_never_no_record(code: int, says_so: str) -> None:
    answer = ask_once(says(code=code))
    assert (answer.status, answer.reason) == (DnsStatus.TEMPFAIL, says_so)


def test_an_extended_rcode_is_not_taken_for_success() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        reply = reply_to(query)
        reply.use_edns(0)
        reply.set_rcode(16)
        yield reply.to_wire()

    assert ask_once(script).reason == "BADVERS"


def test_a_referral_is_a_failure_not_no_data() -> None:
    answer = ask_once(says(authority=("example. 60 NS ns.example.",)))
    assert answer.status is DnsStatus.TEMPFAIL
    both = ("example. 60 NS ns.example.", SOA)
    assert ask_once(says(authority=both)).status is DnsStatus.NODATA


def test_silence_is_a_failure_and_is_kept_for_some_seconds() -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        assert (await resolver.lookup("a.example", "A")).reason == "timed out"
        await resolver.lookup("a.example", "A")
        assert server.asked["udp"] == 2  # two attempts of one question
        clock.now += 6
        await resolver.lookup("a.example", "A")
        assert server.asked["udp"] == 4

    play(lambda query, protocol: [], steps, timeout=0.05, attempts=2)


def test_a_closed_port_is_a_failure() -> None:
    answer = ask_once(says(), servers=("127.0.0.1:1",))
    assert answer.status is DnsStatus.TEMPFAIL
    assert "refused" in answer.reason.lower()


@RUNNERS
def test_the_next_server_is_asked_and_stays_in_front(run: Callable[..., object]) -> None:
    async def main() -> None:
        async with (
            ScriptedServer(says(code=2)) as sick,
            ScriptedServer(says("a.example. 0 A 192.0.2.1")) as well,
        ):
            resolver = DnsResolver(ResolverSettings(servers=(sick.address, well.address)))
            for _ in range(3):
                assert (await resolver.lookup("a.example", "A")).names == ("192.0.2.1",)
            assert (sick.asked["udp"], well.asked["udp"]) == (1, 3)

    run(main())


@RUNNERS
def test_a_truncated_reply_is_asked_for_again_over_tcp(run: Callable[..., object]) -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        if protocol == "udp":
            yield reply_to(query, flags=dns.flags.TC).to_wire()
        else:
            yield reply_to(query, *(f"a.example. 60 A 10.0.0.{n}" for n in range(100))).to_wire(max_size=65535)

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        assert len((await resolver.lookup("a.example", "A")).records) == 100
        assert server.asked == {"udp": 1, "tcp": 1}

    play(script, steps, run)


def test_a_tcp_connection_that_closes_early_is_a_failure() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        if protocol == "udp":
            yield reply_to(query, flags=dns.flags.TC).to_wire()

    assert "closed" in ask_once(script).reason


def test_the_authentic_data_bit_counts_only_from_a_trusted_server() -> None:
    script = says("a.example. 60 A 192.0.2.1", flags=dns.flags.AD)
    assert not ask_once(script).authentic
    assert ask_once(script, trusted=True).authentic
    assert not ask_once(says("a.example. 60 A 192.0.2.1"), trusted=True).authentic


@RUNNERS
def test_the_same_question_flies_once(run: Callable[..., object]) -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        answers = await asyncio.gather(*(resolver.lookup("a.example", "A") for _ in range(50)))
        assert {answer.names for answer in answers} == {("192.0.2.1",)}
        assert server.asked["udp"] == 1

    play(says("a.example. 60 A 192.0.2.1"), steps, run)


def test_one_who_stops_waiting_does_not_stop_the_others() -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        first = asyncio.ensure_future(resolver.lookup("a.example", "A"))
        second = asyncio.ensure_future(resolver.lookup("a.example", "A"))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).status is DnsStatus.OK

    play(says("a.example. 60 A 192.0.2.1"), steps)


def test_lookup_all_answers_in_order_and_by_its_deadline() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        name = query.question[0].name.to_text()
        if not name.startswith("slow"):
            yield reply_to(query, f"{name} 60 A 192.0.2.1").to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        questions = [Question("a.example", "A"), Question("slow.example", "A"), Question("b..example", "A")]
        answers = await resolver.lookup_all(questions, 0.1)
        assert [answer.status for answer in answers] == [DnsStatus.OK, DnsStatus.TEMPFAIL, DnsStatus.NXDOMAIN]
        assert await resolver.lookup_all([], 0.1) == ()

    play(script, steps, timeout=2.0)


def test_stale_answers_serve_only_where_set() -> None:
    healthy = True

    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield reply_to(query, "a.example. 60 A 192.0.2.1", code=0 if healthy else 2).to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        nonlocal healthy
        healthy = True
        await resolver.lookup("a.example", "A")
        clock.now += 100
        healthy = False
        first = await resolver.lookup("a.example", "A")
        second = await resolver.lookup("a.example", "A")
        found.append((first.status, first.ttl))
        assert second.status is first.status

    found: list[tuple[DnsStatus, int]] = []
    play(script, steps)
    play(script, steps, stale_for=3600)
    assert found == [(DnsStatus.TEMPFAIL, 5), (DnsStatus.OK, 30)]


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield reply_to(query, f"{query.question[0].name} 60 A 192.0.2.1").to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        for name in ("a", "b", "a", "c", "a", "b"):
            await resolver.lookup(name, "A")
        assert server.asked["udp"] == 4  # a, b, c, and b again

    play(script, steps, cache_size=2)


def test_times_to_live_are_capped() -> None:
    answer = ask_once(says("a.example. 999999 A 192.0.2.1"), max_ttl=100)
    assert answer.ttl == 100
    assert ask_once(says("a.example. 4000000000 A 192.0.2.1")).ttl == 0  # RFC 2181 §8


def test_a_resolver_serves_one_loop_after_another() -> None:
    async def closed() -> DnsResolver:
        async with ScriptedServer(says("a.example. 60 A 192.0.2.1")) as server:
            resolver = DnsResolver(ResolverSettings(servers=(server.address,)))
            await resolver.lookup("a.example", "A")
            return resolver

    resolver = asyncio.run(closed())
    assert asyncio.run(resolver.lookup("a.example", "A")).names == ("192.0.2.1",)


def test_closing_gives_those_who_wait_an_answer() -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        waiting = asyncio.ensure_future(resolver.lookup("a.example", "A"))
        await asyncio.sleep(0.01)
        resolver.close()
        assert (await waiting).status is DnsStatus.TEMPFAIL

    play(lambda query, protocol: [], steps)


@pytest.mark.parametrize(
    ("name", "rtype", "status"),
    [
        ("a..b", "A", DnsStatus.NXDOMAIN),
        ("x" * 64, "A", DnsStatus.NXDOMAIN),
        ("a.example", "NONSENSE", DnsStatus.TEMPFAIL),
    ],
)
def test_what_cannot_be_asked_is_not(name: str, rtype: str, status: DnsStatus) -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        assert (await resolver.lookup(name, rtype)).status is status
        assert server.asked["udp"] == 0

    play(says(), steps)


def test_a_message_has_a_budget() -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        budget = BudgetedResolver(resolver, 3)
        assert (await budget.lookup("a.example", "A")).status is DnsStatus.OK
        answers = await budget.lookup_all([Question("a.example", "A")] * 4, 1.0)
        assert [answer.status for answer in answers] == [DnsStatus.OK] * 2 + [DnsStatus.TEMPFAIL] * 2
        last = await budget.lookup("a.example", "A")
        assert last.status is DnsStatus.TEMPFAIL
        assert "more than 3" in last.reason

    play(says("a.example. 60 A 192.0.2.1"), steps)
