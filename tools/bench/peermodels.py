"""Models of peers that decode: trained here for a while, in the shape of a model of s2s, and kept."""

import argparse
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joeynmt
import marian
import peers
from boundary import BenchError
from building import PeerPlan, shape_for
from rounds import tell
from watching import run

from s2s.checkpoint import load_model
from s2s.config import RunConfig
from s2s.data.parallel_text import TextData
from s2s.inference.runtime import tokenizers_of


@dataclass(frozen=True)
class PeerModel:
    """A peer with a model of its own in `folder`."""

    name: str
    python: str
    folder: Path
    exported: Path
    data: TextData

    def job(self, lines: Sequence[str], beam: int, batch: int, threads: int) -> dict[str, Any]:
        """What its driver needs to translate lines of text, beside what all drivers need."""
        if self.name == "joeynmt":
            own: dict[str, Any] = {"config": joeynmt.translating(self.python, self.folder)[-1]}
        else:
            own = {"options": marian.decoding(self.folder, self.exported, beam, batch, threads)}
        return {**own, "items": peers.as_tokens(self.data, lines)}

    def command(self, threads: int) -> list[str]:
        """Its command that translates standard input, lines of tokens."""
        if self.name == "joeynmt":
            return joeynmt.translating(self.python, self.folder)
        options = marian.decoding(self.folder, self.exported, 5, 2048, threads)
        return [str(Path(self.python).with_name("pymarian")), "decode", *options]

    def help_command(self) -> list[str]:
        """Its command that tells what it can do."""
        if self.name == "joeynmt":
            return [self.python, "-m", "joeynmt", "--help"]
        return [str(Path(self.python).with_name("pymarian")), "--help"]


def peer_model(peer: str, arguments: argparse.Namespace, data: TextData) -> PeerModel:
    """The peer's model like that of `arguments.model`, trained on the data where none is kept.

    BenchError: the model of s2s has another tokenizer than the data.
    """
    loaded = load_model(arguments.model)
    if tokenizers_of(loaded).source.model != data.codec.source.model:
        raise BenchError(f"{arguments.model} has another tokenizer than {arguments.data}: give the data of the model.")
    config = RunConfig.model_validate({"model": loaded.config, "training": {"max_epochs": 1}})
    shape = shape_for(peer, config)
    if shape != config:
        tell(
            f"note: {peer}'s encoder is {shape.model.encoder.width} wide in each direction, and that of "
            f"{arguments.model} {config.model.encoder.width}. A model that was trained with "
            f"model.encoder.width={shape.model.encoder.width} is more like it."
        )
    python = peers.python_of(peer, arguments.environments)
    plan = PeerPlan(peer, python, shape, data, arguments.environments, arguments.threads, arguments.peer_updates)
    return PeerModel(peer, python, trained(plan), peers.export(data, plan.kept), data)


def trained(plan: PeerPlan) -> Path:
    """A folder with the peer's model after `plan.updates`, which is trained where none is kept."""
    described = f"{plan.config.model_dump_json()} {plan.updates}"
    name = f"{plan.name}-{peers.export(plan.data, plan.kept).name}"
    name += f"-{hashlib.sha256(described.encode()).hexdigest()[:16]}"
    folder = plan.kept / "models" / name
    if not folder.exists():
        tell(f"training {plan.name} for {plan.updates:,} updates; its model is kept in {folder}")
        unfinished = folder.with_name(name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        run(plan.build(unfinished))
        unfinished.rename(folder)
    return folder


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of commands for which peers need models."""
    parser.add_argument("--peer-updates", type=int, default=1500, help="that peers' models are trained (default: 1500)")
