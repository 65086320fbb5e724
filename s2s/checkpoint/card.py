"""The model card: what a model is, how it was trained, how good it is and how to use it, for people."""

from s2s.checkpoint.record import Format, ModelInfo, TrainingSummary
from s2s.config import LanguageModelConfig

USE = {
    "text": (
        "    s2s translate FOLDER < input.txt > output.txt",
        "",
        "or, in Python,",
        "",
        "    import s2s",
        '    print(s2s.load("FOLDER").translate(["One line."])[0].text)',
    ),
    "audio": (
        "    s2s transcribe FOLDER recording.wav",
        "",
        "or, in Python,",
        "",
        "    import s2s",
        '    print(s2s.load("FOLDER").transcribe("recording.wav").text)',
    ),
    "monolingual": (
        "    s2s generate FOLDER --samples 3",
        "    s2s score FOLDER text.txt",
        "",
        "or, to help a translator or a transcriber with the same vocabulary,",
        "",
        "    s2s translate MODEL --lm FOLDER --lm-weight 0.2 < input.txt",
    ),
}
"""How to use a model of each kind."""

FORMS: dict[Format, str] = {"s2s model": "", "s2s onnx model": " as two ONNX graphs"}
"""What is said of the form in which a folder holds its model."""

NEEDS: dict[Format, tuple[str, ...]] = {
    "s2s model": (),
    "s2s onnx model": ("With the extra `onnx` of s2s (`pip install 's2s[onnx]'`),", ""),
}
"""What has to be installed beside s2s to use a model of each form."""

SOURCES = {"text": "vocabularies: {:,} source", "audio": "{:,} features of a frame"}


def model_card(info: ModelInfo) -> str:
    """The README.md of a model directory, in Markdown."""
    return "\n".join(
        [
            f"# {purpose(info).capitalize()}",
            "",
            f"A recurrent {_class(info)} of {size(info)}, written by {info.written_by}.",
            "",
            "## What it is",
            "",
            *shape_lines(info),
            "",
            "## How it was trained",
            "",
            *training_lines(info.training),
            "",
            "## How good it is",
            "",
            *score_lines(info.training),
            "",
            "## How to use it",
            "",
            *NEEDS[info.format],
            *USE[info.kind],
            "",
            "where FOLDER is this folder. `model.json` holds the config and the SHA-256 of every file that is needed;",
            "this page may be edited.",
            "",
        ]
    )


def _class(info: ModelInfo) -> str:
    return "language model" if info.kind == "monolingual" else "sequence-to-sequence model"


def purpose(info: ModelInfo) -> str:
    """What the model does, in a phrase."""
    if info.kind == "monolingual":
        return f"language model of {info.languages[0]}"
    if info.kind == "text":
        return f"translation from {info.languages[0]} to {info.languages[1]}"
    return f"transcription of {info.languages[0]}"


def size(info: ModelInfo) -> str:
    """How many parameters the model has, and in which form unless that is s2s's own."""
    return f"{info.parameters:,} parameters{FORMS[info.format]}"


def shape_lines(info: ModelInfo) -> list[str]:
    """The model's shape as a Markdown list."""
    if isinstance(info.model, LanguageModelConfig):
        return _language_lines(info.model, info.target_size)
    assert info.decoding is not None
    encoder, decoder = info.model.encoder, info.model.decoder
    ctc = ", CTC" if info.model.ctc else ""
    return [
        f"- frontend: {info.model.frontend.kind}",
        f"- encoder: {encoder.layers} bidirectional {encoder.cell.upper()} layers of width {encoder.width}{ctc}",
        f"- decoder: {decoder.kind}, {decoder.layers} {decoder.cell.upper()} layers of width {decoder.width}, "
        f"{info.model.attention.kind} attention",
        f"- embeddings: width {info.model.embedding_width}, tied: {info.model.tied_embeddings}",
        f"- {SOURCES[info.kind].format(info.source_size)} and {info.target_size:,} target entries",
        f"- search by default: beam {info.decoding.beam_size}, length penalty {info.decoding.length_penalty:g}, "
        f"at most {info.decoding.max_length} tokens",
    ]


def _language_lines(model: LanguageModelConfig, size: int) -> list[str]:
    tied = "tied" if model.tied_embeddings == "output" else "not tied"
    context = "the line so far" if model.context == "line" else "the running text"
    return [
        f"- {model.layers} {model.cell.upper()} layers of width {model.width}",
        f"- embeddings: width {model.embedding_width}, {tied} to the output, {size:,} entries",
        f"- what it predicts depends on {context}",
    ]


def training_lines(training: TrainingSummary) -> list[str]:
    """How the model was trained, as a Markdown list."""
    lines = [f"- {training.updates:,} updates, seed {training.seed}"]
    if training.segments is not None:
        lines.append(f"- {training.segments:,} training segments")
    if training.minutes is not None:
        lines.append(f"- {training.minutes:.1f} minutes of training")
    lines.append(f"- SHA-256 of the data's manifest: {training.data}")
    if training.averaged:
        lines.append(f"- its weights are the mean of those of {', '.join(training.averaged)}")
    return lines


def score_lines(training: TrainingSummary) -> list[str]:
    """How good the model is, as a Markdown list."""
    if not training.dev:
        return ["It was not scored."]
    lines = ["On the development part, which also chose this checkpoint:", ""]
    return lines + [
        f"- {score.metric}: {score.value:.2f}" + (f" (`{score.signature}`)" if score.signature else "")
        for score in training.dev
    ]
