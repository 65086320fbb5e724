"""What training leaves and inference reads: model directories, training states, and the checkpoints of a run."""

from s2s.checkpoint.averaging import average
from s2s.checkpoint.model_directory import (
    Loaded,
    LoadedLanguageModel,
    LoadedModel,
    codec_of,
    load_language_model,
    load_model,
    load_weights,
    save_model,
)
from s2s.checkpoint.record import DevScore, ModelInfo, TrainingSummary, read_info, verify
from s2s.checkpoint.run_directory import Resumed, Score, best_checkpoints, checkpoint_folder, publish, resolve, resume
from s2s.checkpoint.tensors import restore, unique
from s2s.checkpoint.training_state import load_training_state, save_training_state

__all__ = [
    "DevScore",
    "Loaded",
    "LoadedLanguageModel",
    "LoadedModel",
    "ModelInfo",
    "Resumed",
    "Score",
    "TrainingSummary",
    "average",
    "best_checkpoints",
    "checkpoint_folder",
    "codec_of",
    "load_language_model",
    "load_model",
    "load_training_state",
    "load_weights",
    "publish",
    "read_info",
    "resolve",
    "restore",
    "resume",
    "save_model",
    "save_training_state",
    "unique",
    "verify",
]
