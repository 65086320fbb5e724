"""Marian (PyPI pymarian) as a peer: its recurrent model of the same sizes, its training and its log.

Marian has one recurrent width for both sides, and its encoder has it in each direction: s2s gets an encoder as wide for
this comparison. Marian's first decoder layer is two cells with attention between them, what s2s calls two layers; so it
has a decoder layer less, and as many cells. It has neither residual connections nor layer norms, which s2s has. Its
budget counts the real tokens of sources.
"""

import re
from pathlib import Path

from boundary import BenchError
from ours import environment
from watching import Training, Window

from s2s.config import RunConfig

CELLS = {"lstm": "lstm", "gru": "gru", "elman": "tanh"}
LEARNING_RATE = "0.001"
LINE = re.compile(
    r"Ep\. \d+ : Up\. (?P<update>[\d,]+) : .* \* (?P<labels>[\d,]+) @ [\d,]+ after [\d,]+ : Time (?P<seconds>[\d.]+)s"
)


def training(
    python: str, config: RunConfig, joint: bool, data: Path, folder: Path, budget: int, threads: int, updates: int = 0
) -> Training:
    """A training without validation in `folder`, which ends after so many updates if they are given."""
    command = [str(Path(python).with_name("pymarian")), "train", *shape(config, joint), *regularisation(config)]
    command += ["--model", str(folder / "model.npz"), "--no-reload", "--overwrite"]
    command += ["--train-sets", str(data / "train.src"), str(data / "train.trg")]
    command += ["--vocabs", *vocabularies(data), "--seed", str(config.seed)]
    command += ["--mini-batch-words", str(budget), "--mini-batch-round-up=false", "--maxi-batch", "400"]
    command += ["--optimizer-delay", str(config.training.accumulation)]
    command += ["--max-length", "10000", "--shuffle-in-ram", "--data-threads", "1"]
    command += ["--cpu-threads", str(threads), *(["--sync-sgd"] if threads > 1 else [])]
    command += ["--disp-freq", "5u", "--save-freq", "1000000000u"]
    command += ["--after", f"{updates}u"] if updates else []
    output = folder / "marian.txt"
    return Training(command, output, windows, output, environment(threads))


def decoding(folder: Path, data: Path, beam: int, batch: int, threads: int) -> list[str]:
    """The options of a translator with the model in `folder`, which searches so many source tokens at once."""
    options = ["--models", str(folder / "model.npz"), "--vocabs", *vocabularies(data), "--beam-size", str(beam)]
    options += ["--normalize", "1", "--max-length-factor", "3", "--max-length", "10000", "--quiet"]
    options += [
        "--mini-batch",
        "10000",
        "--mini-batch-words",
        str(batch),
        "--maxi-batch",
        "1",
        "--maxi-batch-sort",
        "src",
    ]
    return [*options, "--cpu-threads", str(threads)]


def vocabularies(data: Path) -> list[str]:
    """The files of both sides."""
    return [str(data / f"vocabulary.{side}.txt") for side in ("src", "trg")]


def shape(config: RunConfig, joint: bool) -> list[str]:
    """The options of the model; BenchError when it has none that is like it."""
    model = config.model
    if model.encoder.cell not in CELLS or model.decoder.cell not in CELLS:
        raise BenchError(f"Marian's cells are {', '.join(CELLS)}; choose a config with one of them.")
    if model.encoder.width != model.decoder.width:
        raise BenchError("Marian has one width for encoder and decoder, and this config has two.")
    tied = {
        "none": [],
        "output": ["--tied-embeddings"],
        "three-way": ["--tied-embeddings-all" if joint else "--tied-embeddings"],
    }
    return [
        *("--type", "s2s", "--dim-emb", str(model.embedding_width), "--dim-rnn", str(model.decoder.width)),
        *("--enc-type", "bidirectional", "--enc-cell", CELLS[model.encoder.cell]),
        *("--enc-depth", str(model.encoder.layers), "--dec-cell", CELLS[model.decoder.cell]),
        *("--dec-cell-base-depth", "2", "--dec-depth", str(max(1, model.decoder.layers - 1))),
        *tied[model.tied_embeddings],
    ]


def regularisation(config: RunConfig) -> list[str]:
    """The options of the loss and of what is done beside an update."""
    training, drop = config.training, config.regularisation
    options = ["--learn-rate", LEARNING_RATE, "--optimizer", "adam", "--clip-norm", str(training.clip_norm)]
    options += ["--label-smoothing", str(drop.label_smoothing), "--dropout-rnn", str(drop.layer_dropout)]
    return [*options, *(["--exponential-smoothing", "0.0001"] if training.averaging == "ema" else [])]


def windows(log: str) -> list[Window]:
    """Between two lines: labels (real target tokens with EOS) and seconds, as it counts them."""
    found, before = [], 0
    for line in LINE.finditer(log):
        update = int(line["update"].replace(",", ""))
        found.append(Window(update - before, float(line["seconds"]), float(line["labels"].replace(",", ""))))
        before = update
    return found
