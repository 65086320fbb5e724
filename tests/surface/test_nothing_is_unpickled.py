"""A file can never make s2s run code: no pickle, and nothing else that executes what it reads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surface.syntax import ROOT, imports, parse, sources

MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
NAMES = {"eval", "exec", "compile", "__import__"}
CALLS = {
    "torch.load", "torch.save", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter",
    "numpy.load", "np.load", "pandas.read_pickle", "yaml.load", "yaml.unsafe_load", "os.system", "os.popen",
}  # fmt: skip
WORDS = {"allow_pickle", "trust_remote_code"}


def dangers(tree: ast.AST) -> Iterator[str]:
    """The calls in a syntax tree that could run what a file says."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in NAMES | CALLS or any(
            word.arg == "shell" and ast.unparse(word.value) == "True" for word in node.keywords
        ):
            yield f"line {node.lineno}: {name}"
        yield from (f"line {node.lineno}: {word.arg}" for word in node.keywords if word.arg in WORDS)


@pytest.mark.parametrize("path", sources("s2s", "recipes", "tools"), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_executed(path: Path) -> None:
    assert [i.module for i in imports(path) if i.module in MODULES or i.module.split(".")[0] in MODULES] == []
    assert list(dangers(parse(path))) == []


@pytest.mark.parametrize(
    "code",
    ["torch.load(path)", "eval(text)", "np.load(path)", "load(path, allow_pickle=True)", "run(text, shell=True)"],
)
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert list(dangers(ast.parse(code)))


def test_putting_a_module_into_evaluation_mode_is_no_danger() -> None:
    assert list(dangers(ast.parse("model.eval()\nre.compile(text)"))) == []
