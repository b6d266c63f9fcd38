"""The start model that ships with the package: read once, when first needed.

In: `start.model` beside this file, made by `make model`. Out: `Model`. Standard: none. Not here: making it (`train`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from gatepost.inspector.classifier.model import Model

FILE = "start.model"


def read_model(text: str) -> Model:
    """The model that `train.write_model` wrote."""
    lines = text.splitlines()
    ham, spam, phish = map(int, lines[1].split())
    counts = {}
    for line in lines[2:]:
        name, _, numbers = line.partition("\t")
        one, two, three = numbers.split()
        counts[name] = (int(one), int(two), int(three))
    return Model(messages=(ham, spam, phish), counts=counts)


@cache
def start_model() -> Model:
    """The shipped model, ready to weigh."""
    model = read_model(files(__package__).joinpath(FILE).read_text("utf-8"))
    model.odds  # noqa: B018 - made now, before processes are forked
    return model
