"""The READMEs' figures are those of results.json and ablations.json."""

import pytest

from recipes import readmes
from recipes.results import filled


@pytest.mark.parametrize("recipe", readmes.recipes_with(readmes.README))
def test_the_tables_are_those_of_the_recorded_results(recipe: str) -> None:
    """Written anew, nothing changes: `evaluate.py --record` and `ablate.py` write figures and tables together."""
    path = readmes.HERE / recipe / readmes.README
    document = path.read_text(encoding="utf-8")
    for name, text in readmes.recipe_tables(recipe).items():
        assert filled(document, name, text, path) == document, name


def test_the_overview_is_that_of_all_recipes() -> None:
    path = readmes.HERE / readmes.README
    document = path.read_text(encoding="utf-8")
    assert filled(document, "overview", readmes.overview_table(), path) == document
