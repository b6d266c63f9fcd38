"""Runs the fuzzers: the named ones, or all in turn.

In: names (files beside this one), options that each fuzzer knows. Out: exit code 1 when one found something.
Not here: a fuzzer (`smtp`, `spf`, …); the mutations (`harness`).

    python fuzz/run.py --seconds 60 smtp mime
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NOT_FUZZERS = {"harness", "run"}


def fuzzers() -> list[str]:
    """The names of all fuzzers."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_FUZZERS)


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(fuzzers())}; default: all")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each (default 20)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same inputs")
    options = parser.parse_args()
    unknown = set(options.names) - set(fuzzers())
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(fuzzers())}")
    failed = []
    for name in options.names or fuzzers():
        command = [
            sys.executable,
            str(HERE / f"{name}.py"),
            "--seconds",
            str(options.seconds),
            "--seed",
            str(options.seed),
        ]
        print(f"{name}: ", end="", flush=True)
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    print(f"found something: {', '.join(failed)}" if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
