"""Marian translates tokenised lines with the translator of its Python package; see timing.py."""

from pymarian import Translator
from timing import drive


def load(job):
    """Its translator."""
    translator = Translator(" ".join(job["options"]))
    return lambda lines: sum(len(line.split()) + 1 for line in translator.translate(lines))


drive(load)
