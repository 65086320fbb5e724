"""The generated parts of the READMEs in this folder: those of each recipe, and the table of all."""

from importlib import import_module
from pathlib import Path

from recipes.results import Result, fill, overview, read_results, record

HERE = Path(__file__).resolve().parent
RESULTS, ABLATIONS, README = "results.json", "ablations.json", "README.md"


def recipes_with(name: str) -> list[str]:
    """The recipes that have a file of this name, by their folders; some share a folder."""
    found = [*HERE.glob(f"*/{name}"), *HERE.glob(f"*/*/{name}")]
    return sorted(path.parent.relative_to(HERE).as_posix() for path in found)


def record_result(recipe: str, result: Result) -> None:
    """Add a result to those of a recipe, and write the tables anew."""
    record(HERE / recipe / RESULTS, result)
    write_tables(recipe)


def write_tables(recipe: str) -> None:
    """Bring a recipe's README, and that of all recipes, into line with what is recorded."""
    for name, text in recipe_tables(recipe).items():
        fill(HERE / recipe / README, name, text)
    fill(HERE / README, "overview", overview_table())


def recipe_tables(recipe: str) -> dict[str, str]:
    """The generated parts of a recipe's README by the name of their markers, made by its tables.py or its folder's."""
    folder = HERE / recipe
    own, (shared, *_) = recipe.replace("/", "."), recipe.split("/")
    name = own if (folder / "tables.py").is_file() else shared
    tables = import_module(f"recipes.{name}.tables").tables
    parts: dict[str, str] = tables(read_results(folder / RESULTS), read_results(folder / ABLATIONS))
    return parts


def overview_table() -> str:
    """The results that all recipes have recorded."""
    return overview({name: read_results(HERE / name / RESULTS) for name in recipes_with(RESULTS)})
