"""Makes the classifier's start model from the shared corpus; `make model` calls it.

In: the corpus (`labelled`). Out: src/gatepost/inspector/classifier/start.model; the same octets for the same corpus
and rules. `--check` only says whether the file is what would be made.
Not here: how it is made (`inspector.classifier.train`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from labelled import judge_corpus, read_corpus, sample

from gatepost.inspector.classifier.train import train, write_model

FILE = Path(__file__).resolve().parent.parent / "src" / "gatepost" / "inspector" / "classifier" / "start.model"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file would change")
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="about N messages only, for tests")
    options = parser.parse_args()
    judged = judge_corpus(read_corpus(options.limit))
    text = write_model(train(map(sample, judged)))
    if options.check:
        same = options.out.read_text("utf-8") == text
        print(f"{options.out.name}: {'as it would be made' if same else 'would change; run `make model`'}")
        return 0 if same else 1
    options.out.write_text(text, "utf-8")
    print(f"{options.out}: {len(judged)} messages, {text.count(chr(10)) - 2} features, {len(text.encode())} octets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
