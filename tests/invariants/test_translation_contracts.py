"""What users of the translator may rely on: company in a batch changes nothing, nor does the way of asking."""

import io
import json
import random
import sys
from pathlib import Path

import pytest

import s2s
from s2s.cli.main import main
from s2s.config import AttentionConfig, DecoderConfig, EncoderConfig, ModelConfig
from tests.tiny import CONFIG, TEXTS, write_model

CONFIGS = {
    "default": CONFIG,
    "input feeding": ModelConfig(
        embedding_width=16,
        tied_embeddings="none",
        encoder=EncoderConfig(cell="gru", width=16, layers=1),
        decoder=DecoderConfig(kind="input-feeding", cell="gru", width=16, layers=1),
        attention=AttentionConfig(kind="additive"),
        bridge="last",
    ),
}
LINES = [" ".join(text.split()[: 1 + number % 8]) for number, text in enumerate(TEXTS[:14])]


@pytest.fixture(scope="module", params=CONFIGS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny", config=CONFIGS[request.param])


@pytest.mark.parametrize("beam_size", [1, 4])
def test_a_segment_gives_the_same_alone_and_in_any_company(model: Path, beam_size: int) -> None:
    translator = s2s.load(model)
    alone = {line: translator.translate([line], beam_size=beam_size)[0] for line in set(LINES)}
    for seed, batch_tokens in [(1, 4096), (2, 64)]:
        shuffled = random.Random(seed).sample(LINES, len(LINES))
        for line, found in zip(
            shuffled, translator.translate(shuffled, beam_size=beam_size, batch_tokens=batch_tokens), strict=True
        ):
            assert found.tokens == alone[line].tokens
            assert found.alignment == alone[line].alignment
            assert found.score == pytest.approx(alone[line].score, abs=1e-5)


def test_command_and_library_give_the_same(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*LINES[:6], "", "{name} sees <b>it</b>", "\ue000 ü 日本 \U0001f600"]
    data = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
    expected = s2s.load(model).translate(lines, beam_size=2, n_best=2)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert main(["translate", str(model), "--json", "--beam-size", "2", "--n-best", "2"]) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == [translation.to_json() for translation in expected]
    data.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert main(["translate", str(model), "--beam-size", "2"]) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == [translation.text for translation in expected]


def test_a_score_in_the_output_is_that_of_scoring_its_tokens(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = model.parent / "source", model.parent / "target"
    source.write_text("\n".join(TEXTS[:60]))
    found = s2s.load(model).translate(TEXTS[:60], length_penalty=1.0)
    target.write_text("\n".join(translation.text for translation in found))
    assert main(["score", str(model), str(source), str(target), "--json"]) == 0
    scores = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    comparable = 0
    for translation, score in zip(found, scores, strict=True):
        longest = min(24, 3 * len(translation.tokens.source) + 10)
        if score["tokens"] == [*translation.tokens.target, "</s>"] and len(translation.tokens.target) < longest:
            comparable += 1
            assert score["log_prob"] / len(score["tokens"]) == pytest.approx(translation.score, abs=1e-5)
    assert comparable > 3
