"""One file, one idea: files, functions and lists of parameters stay short."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surface.syntax import ROOT, parse, sources

FILE_LINES = 350
FUNCTION_LINES = 60
PARAMETERS = 10
FILES = sources("s2s", "recipes", "tools", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file."""
    return (node for node in ast.walk(parse(path)) if isinstance(node, Function))


def parameters(function: Function) -> int:
    """How many parameters a function takes, `self` apart."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in named if argument.arg not in {"self", "cls"}])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 > FUNCTION_LINES]
    assert long == []
    assert [f.name for f in functions(path) if parameters(f) > PARAMETERS] == []


def test_test_files_have_names_of_their_own() -> None:
    names = Counter(path.name for path in FILES if path.name.startswith("test_"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_test_and_source_is_found() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert found == {"s2s", "recipes", "tools", "tests"}
