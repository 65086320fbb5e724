"""A language model from the command line: prepare, train, generate, score, perplexity."""

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from s2s.cli.main import main
from s2s.language_model import LanguageModel
from s2s.text.vocabulary import EOS
from tests.tiny import TEXTS, write_model

CONFIG = """
[model]
kind = "language-model"
embedding_width = 16
width = 16
context = "text"
[training]
max_updates = 40
batch_tokens = 200
learning_rate = 1e-2
validation_interval = 20
warmup_updates = 3
"""
END = torch.tensor([EOS])


def s2s(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A process of its own."""
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def here(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command writes in this process; it must succeed."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    assert code == 0, told.err
    return told.out


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for name, texts in {"train": [*TEXTS[:150], "", "word " * 300], "dev": TEXTS[150:170], "test": TEXTS[170:]}.items():
        (folder / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(corpus: Path) -> Path:
    parts = [argument for name in ("train", "dev", "test") for argument in (f"--{name}", corpus / name)]
    done = s2s("prepare", "monolingual", *parts, "--language", "en", "--output", corpus / "data")
    assert done.returncode == 0, done.stderr
    assert "train: 150 of 152 lines; left out: empty 1, too long 1" in done.stderr
    assert done.stdout == ""
    return corpus / "data"


@pytest.fixture(scope="module")
def run(corpus: Path, data: Path) -> Path:
    config = corpus / "text.toml"
    config.write_text(CONFIG, encoding="utf-8")
    output = corpus / "run"
    done = s2s("train", config, "--data", data, "--output", output)
    assert done.returncode == 0, done.stderr
    assert "perplexity" in done.stderr
    return output


def test_generate_writes_the_same_for_the_same_seed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("generate", run, "--prompt", "the red", "--samples", "4", "--top-k", "20", "--seed", "7")
    done = s2s(*command)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("the red") for line in lines)
    as_json = [json.loads(line) for line in here(capsys, *command, "--json").splitlines()]
    assert [row["text"] for row in as_json] == lines
    assert set(as_json[0]) == {"id", "text", "log_prob", "tokens", "token_log_probs", "finished"}


def test_scores_and_perplexity_agree(run: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in here(capsys, "score", run, corpus / "test", "--json").splitlines()]
    plain = [float(line) for line in here(capsys, "score", run, corpus / "test").splitlines()]
    assert plain == pytest.approx([row["log_prob"] for row in rows], abs=1e-5)
    found = json.loads(here(capsys, "evaluate", "perplexity", run, corpus / "test", "--json"))
    words = sum(len(row["text"].split()) + 1 for row in rows)
    assert found["word"]["count"] == words
    assert found["word"]["perplexity"] == pytest.approx(math.exp(-sum(plain) / words), rel=1e-5)
    assert found["token"]["perplexity"] < 60  # of some 400 entries
    packed = corpus / "test.gz"
    packed.write_bytes(gzip.compress((corpus / "test").read_bytes()))
    assert json.loads(here(capsys, "evaluate", "perplexity", run, packed, "--json")) == found
    page = here(capsys, "evaluate", "perplexity", run, corpus / "test")
    assert f"per word {found['word']['perplexity']:15.2f}  {found['word']['signature']}" in page


def test_a_line_of_more_than_1_mib_is_read_to_its_end(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s.inference.lines.MAX_LINE_BYTES", 20)
    (tmp_path / "long").write_text(TEXTS[0] * 5 + "\n", encoding="utf-8")
    (row,) = here(capsys, "score", run, tmp_path / "long", "--json").splitlines()
    assert json.loads(row)["text"] == TEXTS[0] * 5
    found = json.loads(here(capsys, "evaluate", "perplexity", run, tmp_path / "long", "--json"))
    assert found["character"]["count"] == len(TEXTS[0] * 5) + 1


def test_what_is_impossible_is_null_in_json(
    run: Path, corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = LanguageModel.logits
    monkeypatch.setattr(LanguageModel, "logits", lambda model, told: logits(model, told).index_fill(-1, END, -math.inf))
    for row in here(capsys, "score", run, corpus / "test", "--json").splitlines():
        score = json.loads(row, parse_constant=pytest.fail)
        assert score["log_prob"] is score["token_log_probs"][-1] is None
    told = here(capsys, "evaluate", "perplexity", run, corpus / "test", "--json")
    assert json.loads(told, parse_constant=pytest.fail)["word"]["perplexity"] is None


def test_info_tells_what_it_is(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = here(capsys, "info", run)
    assert "language model of en" in page
    assert "perplexity" in page


def test_a_tokenizer_is_taken_over(run: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [argument for name in ("train", "dev", "test") for argument in (f"--{name}", corpus / name)]
    prepare = ("prepare", "monolingual", *parts, "--language", "en")
    for source, output in ((run, tmp_path / "from-run"), (corpus / "data", tmp_path / "from-data")):
        here(capsys, *prepare, "--output", output, "--tokenizer", source)
        taken = (output / "tokenizer" / "target.model").read_bytes()
        assert taken == (corpus / "data" / "tokenizer" / "target.model").read_bytes()
    train = ("train", corpus / "text.toml", "--set", "training.max_updates=2")
    here(capsys, *train, "--data", output, "--output", tmp_path / "on", "--from", run)


def test_a_tokenizer_that_was_changed_is_not_taken_over(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(tmp_path / "model")
    damaged = model / "joint.model"
    data = bytearray(damaged.read_bytes())
    data[data.index(b"house")] ^= 1  # SentencePiece still reads it
    damaged.write_bytes(data)
    parts = [argument for name in ("train", "dev", "test") for argument in (f"--{name}", str(corpus / name))]
    prepare = ("prepare", "monolingual", *parts, "--language", "de", "--output", str(tmp_path / "data"))
    assert main([*prepare, "--tokenizer", str(model)]) == 1
    assert f"{damaged} was changed or damaged" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_checkpoints_are_averaged(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here(capsys, "average", *sorted((run / "checkpoints").iterdir()), "--output", tmp_path / "mean")
    assert "language model of en" in here(capsys, "info", tmp_path / "mean")
    (line,) = here(capsys, "generate", tmp_path / "mean", "--top-k", 1).splitlines()
    assert line


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("translate", "RUN"), "is a language model, which has no sources to read: use `s2s generate`"),
        (("transcribe", "RUN", "x.wav"), "is a language model"),
        (("score", "RUN", "TEXT", "TEXT"), "give one TEXT and no translation"),
        (("score", "RUN", "TEXT", "--max-length", "5"), "--max-length has no effect under a language model"),
        (("generate", "DATA"), "is not a model directory"),
        (("evaluate", "perplexity", "RUN", "EMPTY"), "holds no lines"),
        (("generate", "RUN", "--temperature", "-1"), "The temperature must be a number of 0.001 or more (it is -1.0)"),
        (("generate", "RUN", "--top-p", "1.5"), "top_p must be a number above 0 and at most 1"),
        (("generate", "RUN", "--samples", "0"), "not in the range x>=1"),
        (("export", "RUN", "--format", "onnx", "--output", "NEW"), "is a language model"),
        (("info", "RUN", "--data", "DATA"), "decodes nothing: use `s2s evaluate perplexity`"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(
    run: Path,
    corpus: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    message: str,
) -> None:
    (tmp_path / "empty").write_bytes(b"")
    places = {"EMPTY": tmp_path / "empty", "RUN": run, "TEXT": corpus / "test", "DATA": data, "NEW": tmp_path / "new"}
    assert main([str(places.get(part, part)) for part in command]) in (1, 2)
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert not (tmp_path / "new").exists()


def test_a_translator_generates_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write_model(tmp_path / "model")
    assert main(["generate", str(model)]) == 2
    told = capsys.readouterr()
    assert "translates and is no language model" in told.err
    assert told.out == ""
