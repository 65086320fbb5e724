"""The README's figures are those of results.json and ablations.json."""

from recipes.results import filled, read_results
from recipes.transcription.tables import ABLATIONS, README, RESULTS, tables


def test_the_tables_are_those_of_the_recorded_results() -> None:
    """Written anew, nothing changes: `evaluate.py --record` writes figures and tables together."""
    document = README.read_text(encoding="utf-8")
    for name, text in tables(read_results(RESULTS), read_results(ABLATIONS)).items():
        assert filled(document, name, text, README) == document, name
