"""`s2s tune` writes better settings beside the model, and commands take them; a language model helps from the shell."""

import json
from pathlib import Path

import pytest
import soundfile
import torch

from s2s.checkpoint import TrainingSummary, save_model
from s2s.checkpoint.tuned import TunedSearch, identity, keep_tuned
from s2s.cli.main import main
from s2s.config import DecodingConfig, LanguageModelConfig, parse
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.files import committed_folder
from s2s.text.monolingual import MonolingualCodec
from s2s.text.readers import Side
from tests.language import SHAPE, save_language_model, small_language_model
from tests.tiny import TEXTS, write_model
from tests.tiny_speech import speech_codec, write_speech_model
from tests.tones import RATE

FOUND = {"metric": "BLEU", "value": 2.0, "before": 1.0, "signature": "none", "part": "dev", "data": "0"}


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return write_model(folder / "translator"), save_language_model(folder / "language")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, models: tuple[Path, Path]) -> Path:
    """Sources with what the model says to them with a beam of 2 for references, but for a few."""
    import s2s

    folder = tmp_path_factory.mktemp("data")
    sources = TEXTS[:30]
    said = [one.text for one in s2s.load(models[0]).translate(sources, beam_size=2, length_penalty=0.2)]
    (folder / "source").write_text("\n".join(sources) + "\n", encoding="utf-8")
    (folder / "target").write_text("\n".join(text or "nothing" for text in said) + "\n", encoding="utf-8")
    sides = Side(str(folder / "source")), Side(str(folder / "target"))
    prepare_text(PrepareTextOptions(dict.fromkeys(("train", "dev", "test"), sides), ("en", "de"), folder / "data"))
    return folder / "data"


def test_tuned_settings_become_defaults(
    models: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, lm = models
    tune = ("tune", model, "--data", data, "--beam-size", 1, "--beam-size", 2)
    code, out, err = run(capsys, *tune, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["decoding"]["beam_size"] == 2
    assert found["value"] > 99 > found["before"]
    assert found["metric"] == "BLEU"
    assert "left)" in err
    assert f"wrote {model / 'decoding.json'}" in err
    (data.parent / "line").write_text(TEXTS[3] + "\n", encoding="utf-8")
    _, plain, _ = run(capsys, "translate", model, data.parent / "line")
    settings = ("--beam-size", 2, "--length-penalty", found["decoding"]["length_penalty"])
    assert run(capsys, "translate", model, data.parent / "line", *settings)[1] == plain
    code, out, _ = run(capsys, *tune, "--lm", lm)
    assert code == 0
    assert out.splitlines()[0] == "beam_size       2"
    assert "lm_weight       0" in out  # the references are of the model alone
    told = f"{lm} takes no part: `s2s tune` gave it the weight 0. Leave out --lm, or force it by --lm-weight.\n"
    assert run(capsys, "translate", model, data.parent / "line", "--lm", lm) == (0, plain, told)
    assert run(capsys, "translate", model, data.parent / "line", "--lm", lm, "--lm-weight", 0) == (0, plain, "")
    kept = json.loads((model / "decoding.json").read_bytes())
    assert set(kept) == {"format", "version", "model", "alone", "with_lm"}


def test_a_best_checkpoint_that_changes_meanwhile_is_told(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (write_model(tmp_path / "checkpoints" / str(number), seed=number) for number in (1, 2))
    found = TunedSearch(**FOUND, decoding=DecodingConfig())

    def tune(model: Path, options: object) -> TunedSearch:
        assert model == first
        (tmp_path / "best.json").write_text('{"update": 2}')
        return found

    (tmp_path / "best.json").write_text('{"update": 1}')
    monkeypatch.setattr("s2s.inference.tuning.tune", tune)
    code, _, err = run(capsys, "tune", tmp_path, "--data", data)
    assert code == 0
    assert f"{first} is no longer the best checkpoint of {tmp_path}: repeat `s2s tune` when training has ended." in err
    assert not (second / "decoding.json").exists()


def test_a_transcriber_says_that_a_language_model_of_no_weight_takes_no_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, lm = write_speech_model(tmp_path / "speech", ctc=True), tmp_path / "lm"
    config = parse(LanguageModelConfig, SHAPE, "test")
    target = speech_codec().target
    with committed_folder(lm) as folder:
        summary = TrainingSummary(updates=1, seed=1, data="0")
        made = small_language_model(size=target.size)
        save_model(folder, made, MonolingualCodec(target, "en"), config, None, summary)
    keep_tuned(model, TunedSearch(**FOUND, decoding=DecodingConfig(beam_size=2, lm_weight=0.0), lm=identity(lm)))
    noise = torch.randn(2 * RATE, generator=torch.Generator().manual_seed(1))
    soundfile.write(tmp_path / "noise.wav", (0.1 * noise).numpy(), RATE)
    (_, plain, quiet), (_, beside, told), (_, _, forced) = (
        run(capsys, "transcribe", model, tmp_path / "noise.wav", "--format", "json", *more)
        for more in ((), ("--lm", lm), ("--lm", lm, "--lm-weight", 0.5))
    )
    assert plain == beside
    assert [f"{lm} takes no part" in err for err in (quiet, told, forced)] == [False, True, False]


def test_a_language_model_takes_part(models: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, lm = models
    (data.parent / "lines").write_text("\n".join(TEXTS[:8]) + "\n", encoding="utf-8")
    plain, none, much = (
        run(capsys, "translate", model, data.parent / "lines", "--beam-size", 3, *more)
        for more in ((), ("--lm", lm, "--lm-weight", 0), ("--lm", lm, "--lm-weight", 5))
    )
    assert plain[:2] == none[:2]
    assert much[0] == 0
    assert much[1] != plain[1]


def test_translations_are_sampled(models: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data.parent / "lines").write_text("\n".join([*TEXTS[:3], ""]) + "\n", encoding="utf-8")
    command = ("translate", models[0], data.parent / "lines", "--sample")
    one, again, other = (run(capsys, *command, "--seed", seed) for seed in (1, 1, 2))
    assert one[0] == 0
    assert one[1] == again[1] != other[1]
    assert one[1].count("\n") == 4
    assert one[1].endswith("\n\n")
    rows = [json.loads(line) for line in run(capsys, *command, "--n-best", 3, "--json")[1].splitlines()]
    assert [len(row["n_best"]) for row in rows] == [3, 3, 3, 1]
    assert [row["text"] for row in rows] == one[1].split("\n")[:4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("translate", "MODEL", "--seed", 3), "--seed has no effect without --sample"),
        (("translate", "MODEL", "--top-k", 3), "--top-k has no effect without --sample"),
        (("translate", "MODEL", "--sample", "--beam-size", 3), "A beam size has no effect on samples"),
        (("translate", "MODEL", "--sample", "--temperature", 0), "The temperature must be a number of 0.001 or more"),
        (("translate", "MODEL", "--sample", "--length-penalty", 1), "--length-penalty has no effect with --sample"),
        (("translate", "MODEL", "--sample", "--lm", "LM", "--lm-weight", 1), "takes part in searches only"),
        (("translate", "MODEL", "--lm", "MODEL", "--lm-weight", 1), "is no language model"),
        (("translate", "MODEL", "--lm-weight", 1), "has no effect without one (lm)"),
        (("tune", "LM", "--data", "DATA"), "searches for nothing"),
        (("translate", "MODEL", "--sample", "--processes", 2), "sample with one process"),
        (("tune", "MODEL", "--data", "MODEL"), "is not prepared data"),
        (("tune", "MODEL", "--data", "DATA", "--part", "nowhere"), "has no part nowhere"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(
    models: tuple[Path, Path],
    data: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...],
    message: str,
) -> None:
    places = {"MODEL": models[0], "LM": models[1], "DATA": data}
    code, out, err = run(capsys, *(places.get(str(part), part) for part in arguments))
    assert code in (1, 2)
    assert message in err
    assert out == ""
