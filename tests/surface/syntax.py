"""What the surface tests know of the source: its files, and what each file imports."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Import(NamedTuple):
    """One imported module, with the name taken out of it if any; `at_import` when it runs as the file is imported."""

    module: str
    name: str | None
    line: int
    at_import: bool


def sources(*folders: str) -> list[Path]:
    """Every Python file below some folders of the project, and the tools that have no suffix."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    scripts = [ROOT / "tools" / "check", ROOT / "tools" / "quickstart"] if "tools" in folders else []
    return files + scripts


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[Import]:
    """Everything that a file imports, anywhere in it."""
    tree = parse(path)
    package = list(path.relative_to(ROOT).with_suffix("").parts)[:-1]
    late = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or _for_types_only(outer)
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, node.lineno, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *(node.module.split(".") if node.module else [])])
            yield from (Import(module, alias.name, node.lineno, id(node) not in late) for alias in node.names)


def _for_types_only(node: ast.AST) -> bool:
    """Whether the node is an `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
