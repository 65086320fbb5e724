"""From files to translations on the command line: three shapes of model learn to copy or to reverse digits."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import unmeasured

PARTS = {"train": 900, "dev": 40, "test": 100}


def strings() -> list[str]:
    """Different strings of one to three digits, in random order."""
    every = [f"{number:0{length}}" for length in (1, 2, 3) for number in range(10**length)]
    return random.Random(1).sample(every, sum(PARTS.values()))


def s2s(*arguments: object, text: str | None = None) -> str:
    """What a command writes to standard output; it must succeed."""
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=unmeasured())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("task", "cell", "attention", "decoder"),
    [
        ("copy", "lstm", "dot", "parallel"),
        ("reverse", "gru", "multi-head", "parallel"),
        ("reverse", "elman", "additive", "input-feeding"),
    ],
)
def test_a_model_learns_digits_from_files_to_translations(
    task: str, cell: str, attention: str, decoder: str, tmp_path: Path
) -> None:
    left = strings()
    sources: dict[str, list[str]] = {}
    for part, count in PARTS.items():
        sources[part], left = left[:count], left[count:]
        for side, step in (("source", 1), ("target", 1 if task == "copy" else -1)):
            lines = [" ".join(string[::step]) + "\n" for string in sources[part]]
            # Copies of the source would be filtered from the training part: the target has a sign of its own.
            ending = "" if side == "source" else " !"
            (tmp_path / f"{part}.{side}").write_text("".join(line.replace("\n", ending + "\n") for line in lines))
    files = [
        argument
        for part in PARTS
        for argument in (f"--{part}", tmp_path / f"{part}.source", tmp_path / f"{part}.target")
    ]
    s2s("prepare", "text", *files, "--languages", "en-de", "--units", "characters", "--output", tmp_path / "data")
    config = tmp_path / "digits.toml"
    config.write_text(
        f'model = {{ embedding_width = 32, encoder = {{ cell = "{cell}", width = 16, layers = 1 }}, '
        f'decoder = {{ kind = "{decoder}", cell = "{cell}", width = 32 }}, attention = {{ kind = "{attention}" }} }}\n'
        "regularisation = { embedding_dropout = 0.0, layer_dropout = 0.0, output_dropout = 0.0, "
        "source_word_dropout = 0.0, target_word_dropout = 0.0 }\n"
        "training = { max_updates = 400, batch_tokens = 512, learning_rate = 0.01, warmup_updates = 30 }\n"
    )
    run = tmp_path / "run"
    s2s("train", config, "--data", tmp_path / "data", "--output", run, "--threads", 1)
    found = s2s("translate", run, "--threads", 1, text=(tmp_path / "test.source").read_text()).splitlines()
    wanted = (tmp_path / "test.target").read_text().splitlines()
    right = sum(one == other for one, other in zip(found, wanted, strict=True))
    assert right > 0.95 * len(wanted)
