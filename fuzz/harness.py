"""The tiny fuzzer that every parser of ours is run with.

In: a target that takes octets, and examples of good input. Out: nothing, or the input that made the target raise what
it must not, hang, or grow. Mutations are drawn from a seed, so a failure repeats.
Not here: coverage guidance; what is found becomes a named case in tests/.

    python fuzz/spf.py --seconds 60
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence

from gatepost.errors import GatepostError

SLOW = 2.0  # seconds of CPU for one input; a parser that takes this long for 64 KB is not linear
MAX_INPUT = 65536

Target = Callable[[bytes], object]


def run(
    target: Target,
    corpus: Sequence[bytes],
    allowed: tuple[type[BaseException], ...] = (GatepostError,),
    *,
    seed: int = 0,
    runs: int | None = None,
    seconds: float | None = None,
) -> int:
    """Feeds mutated examples to `target` for `runs` inputs or `seconds` (10,000 inputs if neither is given); returns
    how many were tried. Raises what the target raised, unless it is `allowed`, after printing the input."""
    rng = random.Random(seed)
    pool = list(corpus) or [b""]
    limit = 10_000 if runs is None and seconds is None else runs
    end = None if seconds is None else time.monotonic() + seconds
    tried = 0
    while (limit is None or tried < limit) and (end is None or time.monotonic() < end):
        data = mutate(rng, pool)
        started = time.process_time()
        try:
            target(data)
        except allowed:
            pass
        except BaseException:
            print(f"seed {seed}, input {tried}: {data!r}", file=sys.stderr)
            raise
        if time.process_time() - started > SLOW:
            raise AssertionError(f"seed {seed}, input {tried}: over {SLOW} s for {len(data)} octets: {data[:200]!r}")
        tried += 1
        if rng.random() < 0.01 and len(pool) < 500:
            pool.append(data)
    return tried


def mutate(rng: random.Random, pool: Sequence[bytes]) -> bytes:
    """One of the examples with a few changes: octets, slices, repeats, and pieces of other examples."""
    data = bytearray(rng.choice(pool))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randint(0, len(data))
        match rng.randrange(7):
            case 0:
                data[at:at] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + rng.choice((1, 1, 2, 8, 64))]
            case 2 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 3:
                other = rng.choice(pool)
                start = rng.randint(0, len(other))
                data[at:at] = other[start : start + rng.randint(0, 64)]
            case 4:
                piece = bytes(data[at : at + rng.choice((1, 2, 8, 32))])
                data[at:at] = piece * rng.choice((2, 10, 200))
            case 5:
                data[at:at] = rng.choice(NASTY)
            case _:
                data[at:] = bytes(rng.randrange(256) for _ in range(rng.randint(0, 20)))
    return bytes(data[:MAX_INPUT])


NASTY = (
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n.\r\n", b"\xff\xfe", b"\xc3\x28", b"\xe2\x80\xae"),
    *(b'"', b"\\", b"@", b";", b"=", b"%", b"%{", b":", b",", b"-1", b"=?utf-8?q?"),
    *(b"(" * 50, b"<" * 50, b" " * 50, b"9" * 400, b"A" * 1000),
)


def main(target: Target, corpus: Sequence[bytes], allowed: tuple[type[BaseException], ...] = (GatepostError,)) -> None:
    """The command line of one fuzzer."""
    parser = argparse.ArgumentParser(description="Feeds mutated input to one parser.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    tried = run(target, corpus, allowed, seed=options.seed, runs=options.runs, seconds=options.seconds)
    print(f"{sys.argv[0]}: {tried} inputs, nothing found")
