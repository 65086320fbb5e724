"""What a run was: config, data, versions, commit, command and machine, kept in `manifest.json` beside it."""

import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

import s2s
from s2s import ranks
from s2s.config import BaseRunConfig, to_document

PACKAGES = ("torch", "sentencepiece", "sacrebleu", "datasets", "safetensors", "numpy")


def describe_run(config: BaseRunConfig, data: Path, data_hash: str, device: torch.device) -> dict[str, Any]:
    """The manifest of a run that is about to start."""
    document = to_document(config)
    return {
        "format": "s2s run",
        "version": 1,
        "finished": False,
        "seed": config.seed,
        "config": document,
        "config_sha256": config_hash(document),
        "data": str(data),
        "data_sha256": data_hash,
        "s2s": s2s.__version__,
        "commit": source_commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        "hardware": hardware(device),
        "processes": ranks.count(),
        "threads": torch.get_num_threads(),
    }


def config_hash(document: dict[str, Any]) -> str:
    """SHA-256 of a resolved config."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def source_commit() -> str | None:
    """The commit of the source tree that s2s runs from, with `+changes` when files differ.

    None where git does not track it, for instance in a virtual environment within another project.
    """
    tree = Path(s2s.__file__).parent
    try:
        _git(tree, "ls-files", "--error-unmatch", "__init__.py")
        commit = _git(tree, "rev-parse", "HEAD")
        changed = _git(tree, "status", "--porcelain", "--untracked-files=no", ".")
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+changes" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def hardware(device: torch.device) -> str:
    """The processor or accelerator in one phrase."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(encoding="utf-8", errors="replace").split("\n")
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"
