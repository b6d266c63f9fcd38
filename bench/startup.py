"""How long `gatepost --help` takes: what a person waits for at the prompt. Goal: under 0.3 s.

In: nothing. Out: the least and the median time of twenty runs, as whole processes, in a table.
Not here: how long a gate takes to start.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 20
GOAL = 0.3  # seconds


def main() -> int:
    """0 always: speed is told, not judged."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "gatepost", "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    print("| command | least s | median s | goal s |\n|---|---|---|---|")
    print(f"| gatepost --help | {min(times):.3f} | {statistics.median(times):.3f} | {GOAL} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
