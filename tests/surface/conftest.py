"""The frozen surface (`pytest tests/surface --freeze` writes what it finds), and the README's worked example."""

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import unmeasured

SURFACE = Path(__file__).with_name("surface.json")
README = Path(__file__).resolve().parents[2] / "README.md"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CONFIG = """
[model]
embedding_width = 16
encoder = {width = 16}
decoder = {width = 16}
[training]
max_updates = 4
validation_interval = 2
warmup_updates = 1
batch_tokens = 512
"""


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


@pytest.fixture(scope="session")
def worked_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which all that the README's section on one's own data says was typed, with a tiny config."""
    folder = tmp_path_factory.mktemp("worked-example")
    draw = random.Random(1)
    for part, count in (("train", 400), ("dev", 20), ("test", 20)):
        lines = [[draw.choice(DIGITS) for _ in range(draw.randint(2, 6))] for _ in range(count)]
        (folder / f"{part}.en").write_text("".join(f"{' '.join(line)}\n" for line in lines), encoding="utf-8")
        mirrored = "".join(f"{' '.join(reversed(line)).upper()}\n" for line in lines)
        (folder / f"{part}.de").write_text(mirrored, encoding="utf-8")
    (folder / "mine.toml").write_text(CONFIG, encoding="utf-8")
    environment = {**unmeasured(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-eux"], input=own_data(), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def own_data() -> str:
    """The shell commands of that section, installation apart."""
    section = README.read_text(encoding="utf-8").partition("## Your own data")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("pip ", "python3 -m venv")))
