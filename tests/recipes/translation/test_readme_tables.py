"""The README's figures are those of results.json and ablations.json."""

from recipes import overview
from recipes.results import filled, read_results
from recipes.translation.tables import ABLATIONS, README, RESULTS, tables


def test_the_tables_are_those_of_the_recorded_results() -> None:
    """Written anew, nothing changes: `evaluate.py --record` and `ablate.py` write figures and tables together."""
    results = read_results(RESULTS)
    document = README.read_text(encoding="utf-8")
    for name, text in tables(results, read_results(ABLATIONS)).items():
        assert filled(document, name, text, README) == document, name


def test_the_overview_is_that_of_all_recipes() -> None:
    document = overview.README.read_text(encoding="utf-8")
    assert filled(document, "overview", overview.overview_table(), overview.README) == document
