"""A model directory is used as it was written, or refused with the name of what is wrong; never half of it."""

import json
import os
import resource
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from s2s.checkpoint import load_model, publish, save_model, unique
from s2s.checkpoint.record import describe
from s2s.errors import ModelError
from s2s.text.tokenizer import train_tokenizer
from tests.tiny import CONFIG, DECODING, TEXTS, tokenizers, write_model

FILES = ["model.json", "model.safetensors", "tokenizer.json", "joint.model"]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "pristine")


@pytest.fixture
def model(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "model")


def _edit(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = model / "model.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def _records(model: Path, name: str) -> dict[str, Any]:
    return {name: record.model_dump() for name, record in describe(model, [name]).items()}


def test_a_model_comes_back_as_it_was(model: Path) -> None:
    loaded = load_model(model)
    again = load_model(write_model(model.parent / "again"))
    for name, tensor in unique(again.model).items():
        assert torch.equal(unique(loaded.model)[name], tensor)
    assert loaded.config == CONFIG
    assert loaded.decoding == DECODING
    assert not loaded.model.training
    assert loaded.codec.encode_source("the old house") == tokenizers().encode_source("the old house")
    assert loaded.info.training.dev[0].signature == "nrefs:1"


def test_a_model_directory_holds_all_that_is_needed_and_can_be_moved(model: Path, tmp_path: Path) -> None:
    assert {path.name for path in model.iterdir()} == {*FILES, "README.md"}
    model.rename(tmp_path / "elsewhere")
    load_model(tmp_path / "elsewhere")


def test_tied_weights_are_saved_once(model: Path) -> None:
    parameters = load_model(model).info.parameters
    assert parameters * 4 <= (model / "model.safetensors").stat().st_size < parameters * 4 + 10_000


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelError, match=name.replace(".", r"\.") + " is missing"):
        load_model(model)


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_flipped_byte_is_refused_and_its_file_named(model: Path, name: str, place: float) -> None:
    data = bytearray((model / name).read_bytes())
    data[round(place * (len(data) - 1))] ^= 4
    (model / name).write_bytes(data)
    with pytest.raises(ModelError, match=f"{name} was changed or damaged".replace(".", r"\.")):
        load_model(model)


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("size", [0, -1, 1])
def test_a_file_of_another_length_is_refused(model: Path, name: str, size: int) -> None:
    data = (model / name).read_bytes()
    (model / name).write_bytes(b"" if size == 0 else data[:-1] if size < 0 else data + b"\0")
    with pytest.raises(ModelError, match=f"{name} has .* bytes instead of".replace(".json", r"\.json")):
        load_model(model)


def test_the_model_card_may_be_edited(model: Path) -> None:
    card = (model / "README.md").read_text()
    assert "from en to de" in card
    assert "- BLEU: 12.50 (`nrefs:1`)" in card
    (model / "README.md").write_text("mine")
    load_model(model)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"a":' * 100_000, "\udc80"])
def test_a_record_that_is_no_record_is_refused(model: Path, content: str) -> None:
    (model / "model.json").write_text(content, errors="surrogateescape")
    with pytest.raises(ModelError, match=r"model\.json"):
        load_model(model)


def test_another_kind_of_file_is_told_apart(model: Path) -> None:
    (model / "model.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ModelError, match="its format is None"):
        load_model(model)


@pytest.mark.parametrize("version", [0, 2, "1", True, None])
def test_an_unknown_format_version_is_told(model: Path, version: object) -> None:
    _edit(model, lambda document: document.update(version=version))
    with pytest.raises(ModelError, match=f"format version {version!r}, but this s2s reads version 1"):
        load_model(model)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("files"),
        lambda document: document.update(kind="speech"),
        lambda document: document.update(surprise=1),
        lambda document: document["model"]["encoder"].update(cell="transformer"),
        lambda document: document["files"].pop("model.safetensors"),
        lambda document: document["files"]["joint.model"].pop("sha256"),
    ],
)
def test_a_record_with_wrong_keys_or_values_is_refused(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    _edit(model, change)
    with pytest.raises(ModelError, match=r"model\.json"):
        load_model(model)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "C:x", "a\nb"])
def test_no_path_leaves_the_directory(model: Path, name: str) -> None:
    secret = model.parent / "secret"
    secret.write_text("secret")
    _edit(model, lambda document: document["files"].update({name: {"size": 6, "sha256": "0" * 64}}))
    with pytest.raises(ModelError, match="not a plain file name"):
        load_model(model)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("embedding_width",), 10**6),
        (("embedding_width",), 10**18),
        (("encoder", "width"), 10**7),
        (("decoder", "width"), 10**9),
        (("encoder", "layers"), 10**9),
        (("decoder", "layers"), 10**15),
        (("attention", "width"), 4 * 10**8),
        (("attention", "heads"), 10**9),
    ],
)
def test_a_huge_config_takes_no_memory(model: Path, keys: tuple[str, ...], value: int) -> None:
    def enlarge(document: dict[str, Any]) -> None:
        for key in ("model", *keys[:-1]):
            document = document[key]
        document[keys[-1]] = value

    _edit(model, enlarge)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=r"model\.(json|safetensors)"):
        load_model(model)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_huge_file_is_refused_before_it_is_read(model: Path) -> None:
    size = 2**40
    os.truncate(model / "model.safetensors", size)
    _edit(model, lambda document: document["files"]["model.safetensors"].update(size=size))
    with pytest.raises(ModelError, match="1,099,511,627,776 bytes, but the config"):
        load_model(model)


def test_a_huge_record_is_refused_before_it_is_read(model: Path) -> None:
    os.truncate(model / "model.json", 2**40)
    with pytest.raises(ModelError, match="more than the 16,777,216 that such a file may have"):
        load_model(model)


def test_weights_that_do_not_fit_the_config_are_refused(model: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path / "other", config=CONFIG.model_copy(update={"bridge": "zeros"}))
    shutil.copy(other / "model.safetensors", model)
    _edit(model, lambda document: document["files"].update(_records(model, "model.safetensors")))
    with pytest.raises(ModelError, match="makes a model of"):
        load_model(model)


def test_tokenizers_of_another_size_are_refused(model: Path) -> None:
    other = train_tokenizer(lambda: TEXTS, "characters", None, 400)
    assert other.size != tokenizers().source.size
    (model / "joint.model").write_bytes(other.model)
    _edit(model, lambda document: document["files"].update(_records(model, "joint.model")))
    with pytest.raises(ModelError, match="vocabulary sizes differ"):
        load_model(model)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_files_have_the_mode_that_the_user_asks_for(tmp_path: Path, umask: int) -> None:
    previous = os.umask(umask)
    try:
        model = write_model(tmp_path / "model")
    finally:
        os.umask(previous)
    assert {stat.S_IMODE(path.stat().st_mode) for path in model.iterdir()} == {0o666 & ~umask}
    assert stat.S_IMODE(model.stat().st_mode) == 0o777 & ~umask


def test_every_file_is_on_the_disk_before_the_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    at_rename: set[str] = set()
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(handle: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    def noted_rename(self: Path, target: Path) -> Path:
        at_rename.update(str(path) for path in self.iterdir() if str(path) not in synced)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    write_model(tmp_path / "model")
    assert at_rename == set()
    assert str(tmp_path) in synced


def test_a_run_stands_for_its_best_checkpoint(pristine: Path, tmp_path: Path) -> None:
    def copy(folder: Path) -> None:
        shutil.copytree(pristine, folder, dirs_exist_ok=True)

    publish(tmp_path, 10, copy, None)
    assert load_model(tmp_path).folder == tmp_path / "checkpoints" / "10"
    (tmp_path / "checkpoints" / "10" / "joint.model").write_text("x")
    with pytest.raises(ModelError, match=r"checkpoints/10/joint\.model"):
        load_model(tmp_path)


def test_averaged_weights_can_be_saved_in_place_of_the_models_own(pristine: Path, tmp_path: Path) -> None:
    loaded = load_model(pristine)
    doubled = {name: 2 * tensor for name, tensor in unique(loaded.model).items()}
    save_model(tmp_path, loaded.model, loaded.codec, CONFIG, DECODING, loaded.info.training, doubled)
    found = unique(load_model(tmp_path).model)
    assert all(torch.equal(found[name], tensor) for name, tensor in doubled.items())


def test_a_config_that_cannot_be_built_is_an_error_of_the_model(model: Path) -> None:
    _edit(model, lambda document: document["model"].update(attention={"kind": "dot"}))
    with pytest.raises(ModelError, match="describes a model that cannot be built"):
        load_model(model)


def test_text_that_plays_tricks_on_a_terminal_is_refused(model: Path) -> None:
    _edit(model, lambda document: document.update(written_by="s2s\x1b]0;owned\x07"))
    with pytest.raises(ModelError, match=r"written_by: .*cannot be printed"):
        load_model(model)


def test_tokenizers_that_are_not_recorded_are_refused(model: Path) -> None:
    _edit(model, lambda document: document["files"].pop("tokenizer.json"))
    with pytest.raises(ModelError, match=r"does not name tokenizer\.json"):
        load_model(model)


def test_a_search_that_would_fill_the_memory_is_refused(model: Path) -> None:
    _edit(model, lambda document: document["decoding"].update(beam_size=10**12))
    with pytest.raises(ModelError, match="beam_size"):
        load_model(model)
