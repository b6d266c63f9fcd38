"""Which servers the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.errors import ConfigError
from gatepost.net.resolver.servers import parse_server, read_servers
from gatepost.net.resolver.settings import ResolverSettings


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.9.53:5353", ("127.0.9.53", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]", ("::1", 53)),
        ("[2001:DB8::1]:5300", ("2001:db8::1", 5300)),
    ],
)
def test_servers_are_addresses_with_or_without_port(word: str, expected: tuple[str, int]) -> None:
    assert parse_server(word) == expected


@pytest.mark.parametrize("word", ["", "dns.example", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:x", "[::1", "1.2.3"])
def test_anything_else_is_a_clear_error(word: str) -> None:
    with pytest.raises(ConfigError):
        parse_server(word)


def test_system_reads_resolv_conf_itself(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("# local\nsearch example\nnameserver 127.0.0.53\nnameserver 192.0.2.1\noptions edns0\n")
    servers = read_servers(ResolverSettings(servers=("system",), authentic_from=("127.0.0.53",)), path)
    assert [(server.host, server.trusted, server.mixed_case) for server in servers] == [
        ("127.0.0.53", True, False),
        ("192.0.2.1", False, True),
    ]


def test_a_missing_resolv_conf_or_no_server_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="system"):
        read_servers(ResolverSettings(servers=("system",)), tmp_path / "none")
    with pytest.raises(ConfigError, match="at least one"):
        read_servers(ResolverSettings(servers=()))


def test_only_a_server_that_is_asked_can_be_believed() -> None:
    with pytest.raises(ConfigError, match="authentic_from"):
        read_servers(ResolverSettings(servers=("127.0.0.1",), authentic_from=("127.0.0.2",)))
