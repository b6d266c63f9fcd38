"""A network of its own with one name server in it, asked by checkdmarc and by `gatepost audit` about the same domains.

In: a zone file, checkdmarc's Python, domains. Out: on standard output one JSON object, `theirs` and `ours` by domain.
Run inside `unshare --net --mount` (see `inside`): checkdmarc cannot be told a port, so the name server has port 53 of a
loopback that nobody else sees, and resolv.conf names it there and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from gatepost.lab.dns import LabDns

THEIRS = """
import json, sys, checkdmarc
found = checkdmarc.check_domains(sys.argv[1:], timeout=5.0)
print(json.dumps(found if isinstance(found, list) else [found], default=str))
"""
OURS = ("-m", "gatepost", "audit", "--json", "--no-ports", "--lookalikes", "0", "--fail-on", "never",
        "--resolver", "127.0.0.1", "--from", "-")  # fmt: skip


def inside(resolv_conf: Path, *command: str) -> list[str]:
    """`command` in a network and mounts of its own, loopback up, with its own resolv.conf."""
    setup = 'ip link set lo up && mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return ["unshare", "--net", "--mount", "sh", "-c", setup, str(resolv_conf), *command]


async def output(*command: str, given: str = "") -> str:
    """What a program says; raises where it fails."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    out, error = await process.communicate(given.encode())
    if process.returncode:
        raise RuntimeError(error.decode()[-2000:])
    return out.decode()


async def world(zone: str, python: str, domains: list[str]) -> None:
    server = LabDns(zone)
    await server.start("127.0.0.1", 53)
    theirs = json.loads(await output(python, "-c", THEIRS, *domains))
    ours = [json.loads(line) for line in (await output(sys.executable, *OURS, given="\n".join(domains))).splitlines()]
    server.close()
    print(json.dumps({"theirs": {one["domain"]: one for one in theirs}, "ours": {one["domain"]: one for one in ours}}))


if __name__ == "__main__":
    asyncio.run(world(Path(sys.argv[1]).read_text("utf-8"), sys.argv[2], sys.argv[3:]))
