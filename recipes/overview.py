"""The table of all recipes in this folder's README."""

from pathlib import Path

from recipes.results import fill, overview, read_results

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"


def overview_table() -> str:
    """The results that all recipes have recorded."""
    recorded = {path.parent.name: read_results(path) for path in sorted(HERE.glob("*/results.json"))}
    return overview(recorded)


def write_overview() -> None:
    """Bring the README into line with the recorded results."""
    fill(README, "overview", overview_table())
