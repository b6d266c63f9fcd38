"""Runs the benchmarks one after the other and prints their tables; `make bench` calls it.

In: names of benchmarks with their own options behind `--`, or nothing for all. Out: their tables on stdout.
Each is a program of its own under bench/, which measures us and the peer in the same run, in turn and never at once.
What a benchmark cannot find (a peer, root, a compiler) it says, and the others run all the same.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# Program, its options in a full run, what it is about. Micro first: they need a quiet machine the least.
BENCHES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("startup.py", (), "gatepost --help"),
    ("stages.py", (), "what one message costs, stage by stage"),
    ("dkim_verify.py", (), "DKIM verification against dkimpy"),
    ("spf_check.py", (), "SPF against pyspf"),
    ("authentication.py", (), "the whole of authentication against authheaders"),
    ("spool.py", (), "the spool alone"),
    ("smtp.py", (), "accept and store, 10 KB, against Postfix, Haraka and aiosmtpd"),
    ("smtp.py", ("--size", "1048576", "--cells", "10x10", "--only", "gatepost,postfix-auth"), "the same, 1 MB"),
    ("submission.py", (), "log in, sign, spool, against Postfix with Dovecot and OpenDKIM"),
    (
        "submission.py",
        ("--each-login-pays", "--sessions", "1,50"),
        "the same, when no password is believed twice",
    ),
    ("delivery.py", (), "queue and deliver over TLS, against Postfix with OpenDKIM"),
    ("drain.py", (), "a full queue with dead domains"),
    ("inspection.py", (), "the whole inspection, against rspamd and SpamAssassin"),
    ("detection.py", (), "what is found and missed, against rspamd and SpamAssassin"),
    ("memory.py", (), "memory of idle TLS connections, and growth"),
)
PARTS = frozenset(
    {"run.py", "corpus.py", "gate.py", "peers.py", "labelled.py", "filters.py", "make_model.py", "pages.py"}
)  # pieces of other benchmarks


def main(arguments: list[str]) -> int:
    """0 when every benchmark that could run did."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    names, extra = arguments[:split], arguments[split + 1 :]
    failed = []
    listed = {program for program, _, _ in BENCHES} | PARTS
    others = sorted(path.name for path in FOLDER.glob("*.py") if path.name not in listed)
    for program, options, title in (*BENCHES, *((name, (), name) for name in others)):
        path = FOLDER / program
        if not path.exists() or (names and path.stem not in names):
            continue
        print(f"\n## {title}\n", flush=True)
        if subprocess.run([sys.executable, str(path), *options, *extra], check=False).returncode:
            failed.append(title)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
