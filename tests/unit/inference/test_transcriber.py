"""The transcriber over random weights: order, batches, silence, problems, and what it refuses."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch

from s2s.audio.features import Statistics
from s2s.checkpoint import LoadedModel, load_model
from s2s.data.speech_codec import SpeechCodec
from s2s.errors import AudioError, UsageError
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.inference.transcripts import Transcript
from s2s.text.vocabulary import EOS, UNK
from tests.tiny_speech import write_speech_model
from tests.tones import RATE


@pytest.fixture(scope="module", params=[True, False], ids=["ctc", "attention"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_model(write_speech_model(tmp_path_factory.mktemp("models") / "model", ctc=request.param))


@pytest.fixture
def transcriber(loaded: LoadedModel) -> Transcriber:
    return Transcriber(loaded)


def noise(seconds: float, seed: int) -> torch.Tensor:
    return 0.1 * torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def write(path: Path, samples: torch.Tensor, rate: int = RATE) -> Path:
    soundfile.write(path, samples.numpy(), rate)
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / f"{n}.wav", noise(seconds, n)) for n, seconds in enumerate((0.5, 3.0, 0.02, 1.2, 2.0))]


def facts(transcripts: Iterator[Transcript]) -> list[tuple[str, str, str]]:
    return [(transcript.id, transcript.audio, transcript.text) for transcript in transcripts]


@pytest.mark.parametrize("batch_frames", [1, 100, 20_000])
def test_recordings_come_out_in_their_order(transcriber: Transcriber, files: list[Path], batch_frames: int) -> None:
    found = facts(transcriber.stream(files, TranscriptionOptions(batch_frames=batch_frames)))
    assert found == [(file.stem, str(file), transcriber.transcribe(file).text) for file in files]
    assert any(text for _, _, text in found)


def test_samples_in_memory_are_heard_as_those_of_a_file(transcriber: Transcriber, files: list[Path]) -> None:
    samples = [(torch.from_numpy(soundfile.read(file, dtype="float32")[0]), None) for file in files]
    heard = [transcript.text for transcript in transcriber.stream_samples(samples, TranscriptionOptions())]
    assert heard == [transcriber.transcribe(file).text for file in files]


def test_one_speaker_is_normalised_by_all_that_is_heard(
    loaded: LoadedModel, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(loaded.codec, SpeechCodec)
    knowing = Transcriber(replace(loaded, codec=replace(loaded.codec, by_speaker=True)))
    bank = loaded.codec.filter_bank
    features = [bank(torch.from_numpy(soundfile.read(file, dtype="float32")[0])) for file in files]
    found = knowing.listen([files[0], files[0].with_name("missing.wav"), *files[1:]])
    torch.testing.assert_close(found.mean, torch.cat(features).mean(0), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.std, torch.cat(features).std(0, correction=0), atol=1e-4, rtol=0)
    heard: list[torch.Tensor] = []
    original = SpeechCodec.features

    def features_of(self: SpeechCodec, samples: torch.Tensor, **named: Statistics | None) -> torch.Tensor:
        heard.append(original(self, samples, **named))  # type: ignore[arg-type]
        return heard[-1]

    monkeypatch.setattr(SpeechCodec, "features", features_of)
    list(knowing.stream(files, TranscriptionOptions(speaker=found)))
    assert torch.cat(heard).mean(0).abs().max() < 1e-3
    heard.clear()
    knowing.transcribe(files[1])
    assert heard[0].mean(0).abs().max() < 1e-3
    heard.clear()
    knowing.transcribe(files[1], speaker=found)
    assert heard[0].mean(0).abs().max() > 1e-3


def test_a_model_that_knows_no_speakers_says_so(transcriber: Transcriber, files: list[Path]) -> None:
    with pytest.raises(UsageError, match="prepared with --normalisation speaker"):
        transcriber.listen(files)


def test_a_stream_is_heard_as_a_file(transcriber: Transcriber, files: list[Path]) -> None:
    assert transcriber.transcribe(io.BytesIO(files[1].read_bytes())).text == transcriber.transcribe(files[1]).text


def test_nothing_is_asked_of_silence(transcriber: Transcriber, tmp_path: Path) -> None:
    transcript = transcriber.transcribe(write(tmp_path / "silence.wav", torch.zeros(RATE)))
    assert (transcript.text, transcript.seconds, transcript.words) == ("", 1.0, ())
    assert [passage.score for passage in transcript.passages] == [0.0]


def test_what_cannot_be_read_is_a_problem_and_the_rest_goes_on(transcriber: Transcriber, files: list[Path]) -> None:
    files[1].write_bytes(b"RIFF")
    found = list(transcriber.stream(files, TranscriptionOptions()))
    assert [transcript.problem is None for transcript in found] == [True, False, True, True, True]
    assert str(files[1]) in (found[1].problem or "")
    assert found[1].text == ""
    with pytest.raises(AudioError, match=r"1\.wav"):
        transcriber.transcribe(files[1])


def test_passages_tile_a_long_recording(transcriber: Transcriber, tmp_path: Path) -> None:
    file = write(tmp_path / "long.flac", noise(11.0, 7), 2 * RATE)
    passages = transcriber.transcribe(file, window=2.0).passages
    assert len(passages) > 2
    assert passages[0].start == 0.0
    assert passages[-1].end == pytest.approx(5.5)
    assert [passage.start for passage in passages[1:]] == [passage.end for passage in passages[:-1]]


def test_words_have_times_where_there_is_ctc(transcriber: Transcriber, files: list[Path]) -> None:
    transcript = transcriber.transcribe(files[1])
    if transcriber.aligns:
        assert " ".join(word.text for word in transcript.words) == transcript.text
        assert all(0 <= word.start < word.end <= 3.0 + 1e-6 for word in transcript.words)
    else:
        assert transcript.words == ()


def test_hypotheses_end_though_nothing_tells_them_to(transcriber: Transcriber, files: list[Path]) -> None:
    model = transcriber._loaded.model
    before = model.output.bias.data.clone()
    try:
        with torch.no_grad():
            model.output.bias[[EOS, UNK]] = -1e4
        transcript = transcriber.transcribe(files[1], ctc_weight=0.0 if transcriber.aligns else None)
        assert len(transcript.text) <= 30 * 3 + 10
        assert [passage.cut for passage in transcript.passages] == [True]
    finally:
        model.output.bias.data.copy_(before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (TranscriptionOptions(beam_size=0), "beam_size"),
        (TranscriptionOptions(beam_size=2, n_best=3), "A beam of 2 cannot give 3 texts"),
        (TranscriptionOptions(window=0.1), "A window must have 1 to 3600 seconds"),
        (TranscriptionOptions(window=float("inf")), "A window must have 1 to 3600 seconds"),
        (TranscriptionOptions(ctc_weight=2.0), "ctc_weight"),
    ],
)
def test_wrong_use_is_told(transcriber: Transcriber, options: TranscriptionOptions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        transcriber.settle(options)


def test_a_weight_of_ctc_needs_ctc(transcriber: Transcriber) -> None:
    if not transcriber.aligns:
        with pytest.raises(UsageError, match="has no CTC"):
            transcriber.settle(TranscriptionOptions(ctc_weight=0.3))


def test_what_is_neither_a_path_nor_a_stream_is_told(transcriber: Transcriber) -> None:
    for audio, name in (([Path("a.wav"), Path("b.wav")], "list"), (noise(1.0, 1), "Tensor")):
        with pytest.raises(UsageError, match=f"takes one recording, a path or a binary stream, and not {name}: call"):
            transcriber.transcribe(audio)  # type: ignore[arg-type]
