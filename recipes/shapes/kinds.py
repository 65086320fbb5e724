"""The recipes of this folder by the name that a config calls them by (`data.kind`)."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from recipes.shapes.task import Build, ShapeRunConfig
from s2s.config import parse
from s2s.errors import ConfigError

MODULES = {
    "languages": "classification.languages",
    "digits": "classification.digits",
    "capitals": "tagging.capitals",
    "alternation": "tagging.alternation",
    "numbers": "generation.numbers",
    "series": "forecasting.series",
    "memory": "memory.copying",
}
"""Each module has `Config`, its `ShapeRunConfig`, and `build`, which makes its `Task`."""


def parse_shape(document: Mapping[str, Any], place: str) -> tuple[str, ShapeRunConfig, Build]:
    """The folder of the recipe that a document is for, its config and what builds it; ConfigError for others."""
    data = document.get("data")
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(kind, str) or kind not in MODULES:
        raise ConfigError(f"{place}: data.kind is one of {', '.join(MODULES)} (it is {kind!r}).")
    name = MODULES[kind]
    module = import_module(f"recipes.shapes.{name}")
    config: ShapeRunConfig = parse(module.Config, document, place)
    return name.partition(".")[0], config, module.build
