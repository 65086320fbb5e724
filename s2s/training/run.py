"""One training run from config and prepared data to a finished run directory; the same call resumes it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import tomli_w
import torch

from s2s.checkpoint import resolve, resume
from s2s.checkpoint.record import RECORD, read_json
from s2s.config import BaseRunConfig, parse_run, to_document
from s2s.data.loading import loading
from s2s.data.prepared import open_data
from s2s.errors import ConfigError, UsageError
from s2s.files import locked, sha256, write_json, write_text
from s2s.group import joined
from s2s.hardware import open_device
from s2s.log import say
from s2s.training.building import TrainOptions, build_trainer, data_hash, differences
from s2s.training.manifest import config_hash, describe_run
from s2s.training.memory import keep_freed_memory
from s2s.training.pictures import plot_alignments, plot_curves
from s2s.training.signals import polite_stop
from s2s.training.trainer import Trainer

MAY_CHANGE = ("max_updates", "max_epochs", "max_minutes", "patience", "keep_best")
"""The keys of `training` with which a run may go on although they were others. The learning rate goes on as if the new
limit had been there from the start: after a longer one it is higher again."""

GPU_WORKERS = 2
"""Processes that load data for each GPU where the user does not say how many."""


def train(config: BaseRunConfig, options: TrainOptions) -> None:
    """Train, or go on where an earlier call stopped; a finished run is left as it is.

    ConfigError: the config does not fit data or device, or is not that of the run which `output` holds. DataError,
    ModelError: data or model cannot be read. NonFiniteError: see `Updater`. Stopped: a signal came, all is saved.
    """
    keep_freed_memory()
    with joined(options.device) as group, ExitStack() as stack:
        with group.together():
            device = open_device(options.device, options.threads)
            data = open_data(options.data)
            earlier = _earlier_manifest(config, options)  # what cannot work is told before anything is built or written
            if earlier is not None and earlier["finished"]:
                say(f"{options.output} is finished: nothing to do.")
                return
            trainer = build_trainer(config, options, device, data, group)
            options.output.mkdir(parents=True, exist_ok=True)
            if group.leads:
                busy = f"Another process trains in {options.output}. Wait for it, or give another --output."
                stack.enter_context(locked(options.output, busy))
                manifest = _earlier_manifest(config, options) or _new_manifest(config, options, device)
                _write(config, manifest, options.output)
            state = resume(options.output)
            if state is not None:
                trainer.resume(state.tensors, state.record)
                say(f"going on at update {trainer.progress.position.update:,} from {state.folder}")
        with polite_stop() as stop, loading(trainer.batches, _workers(options, device)) as epoch_batches:
            trainer.train(stop, epoch_batches)
            if config.training.averaging == "best":
                trainer.add_average_of_best()
            if group.leads:
                finish(options.output, manifest, trainer)


def _workers(options: TrainOptions, device: torch.device) -> int:
    """How many processes load data for this one; on the CPU a core that trains is worth more than one that loads."""
    if options.workers is not None:
        return options.workers
    return 0 if device.type == "cpu" else GPU_WORKERS


def _new_manifest(config: BaseRunConfig, options: TrainOptions, device: torch.device) -> dict[str, Any]:
    """The manifest of a run that starts now."""
    return describe_run(config, options.data, data_hash(options.data), device) | {"start": _start(options)}


def _write(config: BaseRunConfig, manifest: dict[str, Any], run: Path) -> None:
    write_text(run / "config.toml", tomli_w.dumps(to_document(config)))
    write_json(run / "manifest.json", manifest)


def _start(options: TrainOptions) -> dict[str, str] | None:
    """The model to start from, by its folder and by the SHA-256 of its record, which holds those of its files."""
    if options.start is None:
        return None
    return {"model": str(options.start), "sha256": sha256(resolve(options.start) / RECORD)}


def _earlier_manifest(config: BaseRunConfig, options: TrainOptions) -> dict[str, Any] | None:
    """The manifest of the run in the output folder, if there is one, with the keys of `MAY_CHANGE` as they are now.

    ConfigError: it is of another run. UsageError: the folder is no run.
    """
    path = options.output / "manifest.json"
    if not path.is_file():
        return None
    manifest = read_json(path)
    if manifest.get("format") != "s2s run":
        raise UsageError(
            f"{options.output} is not the folder of a run: {path} is something else. Give another --output."
        )
    written = parse_run(manifest["config"], str(path))  # with the defaults of keys that came since
    document = to_document(config)
    allowed = _allowed(to_document(written), document, manifest)
    changes = differences(to_document(written) | allowed, document)
    start, earlier = _start(options), manifest.get("start")
    if (start or {}).get("sha256") != (earlier or {}).get("sha256"):
        names = [one["model"] if one else "no model" for one in (earlier, start)]
        changes.append(f"--from was {names[0]}, is {names[1]}")
    if manifest["data_sha256"] != data_hash(options.data):
        changes.append(f"the data in {options.data} was prepared anew")
    if changes:
        raise ConfigError(
            f"{options.output} holds a run with another config: {', '.join(changes)}. "
            f"Give another --output, with --from {options.output} to go on from its model, or remove it to train anew."
        )
    if allowed:
        manifest |= {"config": document, "config_sha256": config_hash(document), "finished": False}
    return manifest


def _allowed(old: dict[str, Any], new: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    """The section `training` of the old config with what may change as in the new one; empty when nothing does.

    A run that ended with the mean of its best checkpoints cannot go on, whatever its limits.
    """
    if manifest["finished"] and old["training"]["averaging"] == "best":
        return {}
    kept = {name: value for name, value in old["training"].items() if name not in MAY_CHANGE}
    allowed = kept | {name: new["training"][name] for name in MAY_CHANGE if name in new["training"]}
    return {} if allowed == old["training"] else {"training": allowed}


def finish(run: Path, manifest: dict[str, Any], trainer: Trainer) -> None:
    """Say what training made, draw its curves, and mark the run as finished."""
    plot_curves(trainer.metrics, run / "metrics.png")
    plot_alignments(trainer.alignments(), run / "alignments.png")
    minutes = trainer.progress.position.seconds / 60
    write_json(run / "manifest.json", manifest | {"finished": True, "minutes": round(minutes, 2)})
    say(f"trained {trainer.progress.position.update:,} updates in {minutes:.1f} minutes; the model is {run}")
