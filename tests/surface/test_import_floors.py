"""Imports run down only: each part of s2s stands on a floor and imports from lower floors."""

import ast
import configparser
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surface.syntax import ROOT, Import, imports, parse, sources

FLOORS = [
    {"errors", "files", "grid", "group", "hardware", "hub", "log", "ranks", "rng"},
    {"text", "audio", "config"},
    {"nn", "search", "data"},
    {"model", "language_model", "shapes", "checkpoint", "evaluation"},
    {"decoding", "export"},
    {"training", "inference"},
    {"cli"},
    {"__init__", "__main__"},
]
BESIDE = {
    ("checkpoint", "model"),
    ("checkpoint", "language_model"),
    ("language_model", "model"),
    ("shapes", "language_model"),
    ("shapes", "model"),
    ("__main__", "__init__"),
    ("hub", "log"),
    ("log", "ranks"),
    ("group", "ranks"),
    ("hardware", "ranks"),
    *((part, "errors") for part in ("files", "group", "hardware", "hub", "log", "rng")),
}
NUMBERS_ONLY = {"nn", "search"}
PACKAGES_ON_THE_GROUND_FLOOR = {
    "grid": {"torch"},
    "group": {"torch"},
    "hardware": {"torch"},
    "hub": {"datasets", "huggingface_hub"},
    "log": {"tqdm"},
    "rng": {"torch"},
}
SLOW = {"torchaudio", "soundfile", "sacrebleu", "jiwer", "matplotlib", "datasets", "onnxruntime"}
BENCH = ROOT / "tools" / "bench"
PEERS = {"joeynmt", "pymarian", "pocketsphinx"}
"""What only the environments of peers hold."""

FLOOR_OF = {part: number for number, parts in enumerate(FLOORS) for part in parts}


def part_of(path: Path) -> str:
    """The part of s2s to which a file belongs."""
    return path.relative_to(ROOT / "s2s").with_suffix("").parts[0]


def taken_from_package(path: Path) -> set[str]:
    """The names that a file takes out of the package itself, as in `s2s.load`, but not its version or place."""
    return {
        node.attr
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "s2s"
        and not node.attr.startswith("__")
    }


def parts_imported(path: Path, imported: Import) -> Iterator[str]:
    """The part of s2s that an import in a file reaches; s2s's version is everybody's."""
    names = imported.module.split(".")
    if names[0] != "s2s":
        return
    if len(names) > 1:
        yield names[1]
    elif imported.name in FLOOR_OF:
        yield imported.name
    elif imported.name not in {None, "__version__"} or taken_from_package(path):
        yield "__init__"


def allowed(importer: str, imported: str) -> bool:
    """Whether one part may import another."""
    if importer == imported or (importer, imported) in BESIDE:
        return True
    if (importer, imported) == ("cli", "__init__"):
        return True
    if importer in NUMBERS_ONLY:
        return imported in {"errors", "grid", "rng"}
    return FLOOR_OF[imported] < FLOOR_OF[importer]


def place(path: Path, imported: Import) -> str:
    """How a test names an import."""
    return f"{path.relative_to(ROOT)}:{imported.line} imports {imported.module}.{imported.name or ''}".rstrip(".")


def providers() -> dict[str, set[str]]:
    """The distributions that bring each package, their names as setup.cfg writes them."""
    installed = importlib.metadata.packages_distributions().items()
    return {package: {name.lower().replace("_", "-") for name in names} for package, names in installed}


def distributions() -> dict[str, set[str]]:
    """The distributions that setup.cfg declares, by `install_requires` or the name of an extra."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    declared = {"install_requires": config["options"]["install_requires"], **config["options.extras_require"]}
    return {
        key: {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in text.splitlines() if line.strip()}
        for key, text in declared.items()
    }


def foreign(folders: tuple[str, ...], own: set[str]) -> Iterator[tuple[Path, Import, str]]:
    """Imports of packages that are neither of the standard library nor the project's."""
    for path in sources(*folders):
        for imported in imports(path):
            package = imported.module.split(".")[0]
            if package not in sys.stdlib_module_names and package not in own:
                yield path, imported, package


def undeclared(folders: tuple[str, ...], own: set[str], declared: set[str]) -> list[str]:
    """Imports of packages that none of the declared distributions brings."""
    known = {package for package, names in providers().items() if declared & names}
    return [place(path, imported) for path, imported, package in foreign(folders, own) if package not in known]


def test_every_part_of_s2s_has_a_floor() -> None:
    assert {part_of(path) for path in sources("s2s")} <= set(FLOOR_OF)


def test_imports_run_down_only() -> None:
    wrong = [
        place(path, imported)
        for path in sources("s2s")
        for imported in imports(path)
        for part in parts_imported(path, imported)
        if not allowed(part_of(path), part)
    ]
    assert wrong == []


def test_nothing_imports_recipes_tools_or_tests() -> None:
    wrong = [
        place(path, imported)
        for path in sources("s2s")
        for imported in imports(path)
        if imported.module.split(".")[0] in {"recipes", "tools", "tests"}
    ]
    assert wrong == []


def test_the_ground_floor_needs_the_standard_library_only() -> None:
    wrong = [
        place(path, imported)
        for path, imported, package in foreign(("s2s",), {"s2s"})
        if part_of(path) in FLOORS[0] and package not in PACKAGES_ON_THE_GROUND_FLOOR.get(part_of(path), set())
    ]
    assert wrong == []


def test_slow_packages_are_imported_where_they_are_used() -> None:
    wrong = [
        place(path, imported)
        for path, imported, package in foreign(("s2s",), {"s2s"})
        if package in SLOW and imported.at_import
    ]
    assert wrong == []


def test_what_s2s_imports_is_declared() -> None:
    declared = distributions()
    users = set().union(*(names for key, names in declared.items() if key != "dev"))
    assert undeclared(("s2s", "recipes"), {"s2s", "recipes"}, users) == []


def test_what_the_tests_import_is_declared() -> None:
    declared = set().union(*distributions().values())
    assert undeclared(("tests",), {"s2s", "recipes", "tests", "tools", "environment"}, declared) == []


def test_the_tools_need_the_standard_library_only() -> None:
    wrong = [
        place(path, imported)
        for path, imported, _ in foreign(("tools",), {"s2s", "environment"})
        if BENCH not in path.parents
    ]
    assert wrong == []


def test_what_measurements_import_is_declared() -> None:
    declared = distributions()
    users = set().union(*(names for key, names in declared.items() if key != "dev"))
    own = {path.stem for path in BENCH.rglob("*.py")}
    assert undeclared(("tools/bench",), {"s2s", *own, *PEERS}, users) == []


def test_what_only_an_extra_brings_is_imported_late() -> None:
    declared = distributions()
    optional = set().union(*(names for key, names in declared.items() if key not in {"install_requires", "dev"}))
    wrong = [
        place(path, imported)
        for path, imported, package in foreign(("s2s",), {"s2s"})
        if package in optional and imported.at_import
    ]
    assert wrong == []


def test_every_required_package_is_used() -> None:
    used = {package for _, _, package in foreign(("s2s", "recipes"), {"s2s", "recipes"})}
    brought = {name for package in used for name in providers().get(package, set())}
    assert distributions()["install_requires"] - brought == set()


@pytest.mark.parametrize("name", sorted(set().union(*distributions().values())))
def test_every_declared_package_is_pinned(name: str) -> None:
    pins = (ROOT / "tools" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in pins if "==" in line}
    assert name.lower() in pinned
