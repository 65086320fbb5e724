"""The frozen surface: `pytest tests/surface --freeze` writes what it finds into surface.json."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SURFACE = Path(__file__).with_name("surface.json")


@pytest.fixture
def frozen(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Compares what a test found with a section of surface.json, or writes it there when asked to freeze it."""

    def compare(section: str, found: object) -> None:
        recorded: dict[str, Any] = json.loads(SURFACE.read_text(encoding="utf-8")) if SURFACE.exists() else {}
        if request.config.getoption("--freeze"):
            text = json.dumps({**recorded, section: found}, indent=1, sort_keys=True, ensure_ascii=False)
            SURFACE.write_text(text + "\n", encoding="utf-8")
        else:
            assert found == recorded.get(section), "If this is meant: pytest tests/surface --freeze, and CHANGELOG.md"

    return compare
