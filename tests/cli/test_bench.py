"""tools/bench: alternation and ratios, what is read out of logs, memory of process trees, and small real runs."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cli.processes import unmeasured
from tests.cli.tools import TOOLS
from tests.digits import prepare_digits
from tests.tiny import tokenizers

BENCH = TOOLS / "bench"

JOEYNMT = """\
2026-11-22 14:28:09,102 - INFO - joeynmt.training - EPOCH 1
2026-11-22 14:28:14,351 - INFO - joeynmt.training - Epoch   1, Step:        5, Batch Loss:     6.790156, \
Batch Acc: 0.062466, Tokens per Sec:      944, Lr: 0.001000
2026-11-22 14:28:17,411 - INFO - joeynmt.training - Epoch   1, Step:       10, Batch Loss:     5.712369, \
Batch Acc: 0.104149, Tokens per Sec:     1190, Lr: 0.001000
2026-11-22 14:28:18,001 - INFO - joeynmt.training - Epoch   1, total training loss: 60.20, num. of seqs: 600, \
num. of tokens: 10000, 9.0000[sec]
2026-11-22 14:28:18,002 - INFO - joeynmt.training - EPOCH 2
2026-11-22 14:28:20,060 - INFO - joeynmt.training - Epoch   2, Step:       15, Batch Loss:     5.022056, \
Batch Acc: 0.097806, Tokens per Sec:     1240, Lr: 0.001000
2026-11-22 14:28:23,321 - INFO - joeynmt.training - Epoch   2, Step:       20, Batch Loss:     4.828792, \
Batch Acc: 0.108719, Tokens per Sec:     11"""

MARIAN = """\
[2026-11-22 14:27:12] Allocating memory for Adam-specific shards
[2026-11-22 14:27:17] Ep. 1 : Up. 4 : Sen. 312 : Cost 8.30694962 * 2,434 @ 960 after 4,819 : Time 2.91s : \
836.05 words/s : gNorm 0.3027
[2026-11-22 14:27:20] Ep. 1 : Up. 6 : Sen. 430 : Cost 8.24943829 * 2,864 @ 1,310 after 7,683 : Time 3.36s : \
852.71 words/s : gNorm 0.3343
[2026-11-22 14:27:23] Ep. 1 : Up. 1,008 : Sen. 638 : Cost 7.99402571 * 2,704 @ 1,482 after 10,387 : Time 2.25s : \
1199.63 words/s : gNorm 0.5180
[2026-11-22 14:27:25] Ep. 1 : Up. 1,010 : Sen. 759 : Cost 7.30886030 * 2,206 @ 1,134 af"""


def load(name: str) -> ModuleType:
    """A module of the folder, whose commands put it on the path themselves when they run."""
    if str(BENCH) not in sys.path:
        sys.path.insert(0, str(BENCH))
    return importlib.import_module(name)


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Calls a command of the folder in this process, which saves its imports; what it prints."""

    def call(name: str, *words: object) -> str:
        load(name).main(list(map(str, words)))
        return capsys.readouterr().out

    return call


def cells(output: str, name: str) -> list[float]:
    """The figures in the row of that name."""
    row = next(line for line in output.splitlines() if line.startswith(f"| {name}"))
    shown = (cell.strip(" %").replace(",", "") for cell in row.strip("|").split("|")[1:])
    return [float(cell) for cell in shown if cell]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_digits(tmp_path_factory.mktemp("digits"))


def test_ratios_are_taken_within_rounds() -> None:
    found = load("rounds").ratio([2.0, 9.0, 4.0], [1.0, 3.0, 4.0])
    assert (found.median, found.smallest, found.largest) == (2.0, 1.0, 3.0)  # that of the medians is 4 / 3


def test_systems_alternate(capsys: pytest.CaptureFixture[str]) -> None:
    rounds = load("rounds")
    order: list[str] = []

    def system(name: str, value: float) -> Any:
        return rounds.System(name, lambda: order.append(name) or {"x/s": value, "length": 7.0})

    found = rounds.alternate([system("s2s", 6.0), system("peer", 3.0)], 2)
    assert order == ["s2s", "peer", "s2s", "peer"]
    told = capsys.readouterr()
    assert told.out == ""
    assert "round 2 of 2: peer (about 0.0 minutes left)" in told.err
    shown = rounds.table(found, [("s2s", "peer")], ["x/s"]).splitlines()
    assert [line.split() for line in shown[:1]] == [["|", "system", "|", "x/s", "|", "length", "|"]]
    assert shown[2].split() == ["|", "s2s", "|", "6.00", "|", "7.00", "|"]
    assert shown[-1].split() == ["|", "x/s:", "s2s", "/", "peer", "|", "2.00", "|", "2.00", "|", "2.00", "|"]


def test_a_section_is_replaced_and_not_doubled() -> None:
    results = load("results")
    first, other = "## `training.py a.toml`", "## `training.py a.toml --peer marian`"
    text = results.replaced(results.TITLE, first, "old\n\n| a |")
    text = results.replaced(text, other, "kept")
    again = results.replaced(text, first, "new")
    assert again == f"{results.TITLE}\n{first}\n\nnew\n\n{other}\n\nkept\n"
    assert results.replaced(again, first, "new") == again


def test_the_heading_is_the_command_without_what_changes_nothing() -> None:
    words = ["a.toml", "--record", "--environments", "/somewhere", "--peer", "marian"]
    assert load("results").heading("/x/training.py", words) == "## `training.py a.toml --peer marian`"


def test_results_are_recorded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = load("results")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    results.publish("| not kept |", ["a"], 1, False, "training.py")
    assert not (tmp_path / "RESULTS.md").exists()
    for table in ("| one |", "| two |"):
        results.publish(table, ["a", "--record"], 3, True, "training.py")
    text = (tmp_path / "RESULTS.md").read_text()
    assert text.count("## `training.py a`") == 1
    assert "| two |" in text and "| one |" not in text
    assert "- threads: 3\n- torch: 2" in text


def test_joeynmts_log_is_read() -> None:
    windows = load("joeynmt").windows(JOEYNMT)
    assert [(one.updates, round(one.seconds, 3)) for one in windows] == [(5, 3.06)]  # none over the end of an epoch
    assert windows[0].tokens == pytest.approx(1190 * 3.06)
    whole = load("joeynmt").windows(JOEYNMT + "42, Lr: 0.001000\n")
    assert [round(one.seconds, 3) for one in whole] == [3.06, 3.261]


def test_marians_log_is_read() -> None:
    windows = load("marian").windows(MARIAN)
    assert [(one.updates, one.seconds, one.tokens) for one in windows] == [
        (4, 2.91, 2434.0),
        (2, 3.36, 2864.0),
        (1002, 2.25, 2704.0),
    ]


def test_our_own_log_is_read() -> None:
    rows = [
        {"kind": "training", "update": 25, "seconds": 10.0, "tokens_per_second": 3000.0},
        {"kind": "validation", "update": 25, "seconds": 12.0},
        {"kind": "training", "update": 60, "seconds": 22.0, "tokens_per_second": 3500.0},
    ]
    log = "".join(json.dumps(row) + "\n" for row in rows) + '{"kind": "trai'
    windows = load("ours").windows(log)
    assert [(one.updates, one.seconds, one.tokens) for one in windows] == [(25, 10.0, 30000.0), (35, 12.0, 42000.0)]


def test_rates_are_of_what_comes_after_the_warm_up() -> None:
    watching = load("watching")
    windows = [watching.Window(*one) for one in ((5, 6.0, 1.0), (5, 6.0, 1.0), (10, 4.0, 8000.0), (10, 6.0, 8000.0))]
    kept = watching.settled(windows, 10)
    assert kept == windows[2:]
    assert watching.rates(kept) == {"target tokens/s": 1600.0, "tokens an update": 800.0}


def test_joeynmts_budget_counts_padding() -> None:
    joeynmt = load("joeynmt")
    assert joeynmt.batches([(3, 2), (3, 2), (5, 1)], 6) == 2
    lengths = [(5, 4), (10, 9)] * 500
    budget = joeynmt.budget_for(lengths, 300.0)  # of random order; 40 segments of 7.5 tokens, padded to 10
    assert budget == pytest.approx(400, rel=0.05)


def test_a_training_that_fails_is_told(tmp_path: Path) -> None:
    watching = load("watching")
    output = tmp_path / "output.txt"
    command = [sys.executable, "-c", "print('no such file'); raise SystemExit(4)"]
    training = watching.Training(command, output, lambda text: [], output, unmeasured())
    with pytest.raises(load("boundary").BenchError, match=r"ended with exit code 4(.|\n)*no such file"):
        watching.watch(training, 0, 1)


def test_the_memory_of_a_tree_is_summed(tmp_path: Path) -> None:
    for process, parent, memory in ((7, 1, 100), (8, 7, 20), (9, 8, 3), (10, 1, 1000), (70, 9, None)):
        (tmp_path / str(process)).mkdir()
        lines = ["Name:\tx", f"PPid:\t{parent}", *([] if memory is None else [f"RssAnon:\t{memory:8} kB"])]
        (tmp_path / str(process) / "status").write_text("\n".join([*lines, "RssFile:\t 555 kB", ""]))
    processes = load("processes")
    assert processes.tree(7, tmp_path) == [7, 8, 9, 70]
    assert processes.anonymous(7, tmp_path) == 123 * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_the_peak_of_a_command_counts_its_children() -> None:
    inner = "import time; kept = bytearray(b'x' * 60_000_000); time.sleep(0.6)"
    outer = "import subprocess, sys; kept = bytearray(b'x' * 60_000_000); "
    outer += f"subprocess.run([sys.executable, '-c', {inner!r}])"
    peak = load("processes").peak_of([sys.executable, "-c", outer], unmeasured())
    assert 120e6 < peak < 240e6


def test_latencies() -> None:
    assert load("driving").latencies([float(n) for n in range(20, 0, -1)]) == {
        "median ms": 10.5,
        "95th percentile ms": 19.0,
    }


def test_tokens_have_names_without_blanks() -> None:
    names = load("peers").token_names(tokenizers().source)
    assert len(set(names)) == len(names) == tokenizers().source.size
    assert all(name.split() == [name] and name.splitlines() == [name] for name in names)


def test_peers_get_the_tokens_that_s2s_reads(data: Path, tmp_path: Path) -> None:
    from s2s.data.parallel_text import open_text

    text = open_text(data)
    folder = load("peers").export(text, tmp_path)
    vocabulary = (folder / "vocabulary.trg.txt").read_text(encoding="utf-8").split("\n")[:-1]
    lines = (folder / "train.trg").read_text(encoding="utf-8").split("\n")[:-1]
    pairs = text.segments("train").draw(range(len(lines)), None).pairs
    assert [[vocabulary.index(token) for token in line.split()] for line in lines[:50]] == [t for _, t in pairs[:50]]
    sources = text.segments("train").column("source")[:20]
    assert load("peers").as_tokens(text, sources) == (folder / "train.src").read_text(encoding="utf-8").split("\n")[:20]


def test_a_generated_corpus_is_the_same_each_time_and_has_no_duplicates(tmp_path: Path) -> None:
    for name in ("source", "target"):
        (tmp_path / name).write_text("".join(f"{name} {n}\n" for n in range(5)))
    texts = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        options = load("corpus").generate(tmp_path / "source", tmp_path / "target", 50, folder)
        texts.append([Path(path).read_text() for path in options if not path.startswith("--")])
    assert texts[0] == texts[1]
    lines = [line for text in texts[0][::2] for line in text.splitlines()]
    assert len(set(lines)) == len(lines) == 2050
    targets = [line for text in texts[0][1::2] for line in text.splitlines()]
    assert [line.replace("source", "target") for line in lines] == targets


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "marian").mkdir()
    with pytest.raises(load("boundary").BenchError, match="is no virtual environment"):
        load("peers").python_of("marian", tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "marian"]


def test_an_error_is_one_sentence_and_a_code(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH / "training.py"), str(tmp_path / "none.toml"), "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=unmeasured())
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path}/none.toml cannot be read: No such file or directory.\n"
    assert done.stdout == ""


def test_training_is_measured(data: Path, tmp_path: Path, bench: Callable[..., str]) -> None:
    config, kept = tmp_path / "small.toml", tmp_path / "kept"
    config.write_text(
        "model.embedding_width = 16\nmodel.encoder.width = 16\nmodel.decoder.width = 16\n"
        "training.max_updates = 4\ntraining.batch_tokens = 400\n"
    )
    options = ["--precision", "float32", "--rounds", 1, "--seconds", 1, "--warm-up", 0, "--environments", kept]
    rate, tokens = cells(bench("training", config, "--data", data, *options), "s2s float32")
    assert rate > 100 and 50 < tokens <= 400
    assert list(kept.iterdir()) == []


def test_decoding_is_measured(data: Path, project: Path, bench: Callable[..., str]) -> None:
    words = [project / "tests" / "golden" / "text", "--data", data, "--precision", "float32", "--rounds", 1]
    words += ["--limit", 8, "--beam", 1]
    tokens, sentences, length = cells(bench("decoding", *words), "s2s float32, greedy")
    assert sentences > 1 and tokens == pytest.approx(sentences * length, rel=0.02)
    median, late, _ = cells(bench("decoding", *words, "--latency"), "s2s float32, greedy")
    assert 0 < median <= late


def test_decoding_against_length_is_measured(data: Path, project: Path, bench: Callable[..., str]) -> None:
    words = [project / "tests" / "golden" / "text", "--data", data, "--precision", "float32", "--rounds", 1]
    told = bench("decoding", *words, "--limit", 8, "--beam", 1, "--joined", 1, "--joined", 4)
    assert cells(told, "s2s float32, greedy, 4 lines in one")[2] > 1.5 * cells(told, "s2s float32, greedy")[2]


def test_decoding_of_recordings_is_measured(project: Path, bench: Callable[..., str]) -> None:
    golden = project / "tests" / "golden"
    options = ["--precision", "float32", "--rounds", 1, "--beam", 1]
    told = bench("decoding", golden / "audio", "--audio", golden / "tones.flac", *options)
    factor, seconds = cells(told, "s2s float32, greedy")
    assert factor > 0 and seconds > 0


def test_operations_are_counted_by_shapes() -> None:
    """A recurrent layer by hand: 7 steps of 3 rows, each a product with (20, 4) and one with (20, 5)."""
    operations = load("profiling").operations
    layer = [[7, 3, 4], [20, 4], [20, 5], [20], [20], [3, 5], [3, 5]]
    assert operations("mkldnn_rnn_layer", layer) == 2 * 7 * 3 * (20 * 4 + 20 * 5)
    assert operations("mkldnn_rnn_layer_backward", layer) == 2 * operations("mkldnn_rnn_layer", layer)
    assert operations("mm", [[3, 4], [4, 5]]) == operations("_linear_pointwise", [[3, 4], [5, 4], [5]]) == 120
    assert operations("addmm", [[5], [3, 4], [4, 5]]) == 120
    assert operations("bmm", [[2, 3, 4], [2, 4, 5]]) == 240
    assert operations("copy_", [[3, 4], [3, 4]]) == 0


def test_profiles_are_told_with_their_floor(
    data: Path, project: Path, tmp_path: Path, bench: Callable[..., str]
) -> None:
    config = tmp_path / "small.toml"
    config.write_text("model.encoder.width = 16\nmodel.decoder.width = 16\ntraining.max_updates = 1\n")
    for words in (["training", config], ["decoding", project / "tests" / "golden" / "text"]):
        told = bench("profiling", *words, "--data", data, "--count", 2)
        assert cells(told, "recurrent layers")[0] > 0
        assert cells(told, "matrix products")[0] > 0
        assert "- floor: " in told


def test_starting_is_measured(project: Path, bench: Callable[..., str]) -> None:
    told = bench("startup", "--model", project / "tests" / "golden" / "text", "--line", "1 2 3", "--rounds", 1)
    assert cells(told, "import s2s") < cells(told, "s2s translate")


def test_the_memory_of_a_command_is_measured(bench: Callable[..., str]) -> None:
    code = "import time; kept = bytearray(b'x' * 30_000_000); time.sleep(0.4)"
    told = bench("memory", "command", "--rounds", 1, "--", "python3", "-c", code)
    peak, seconds = cells(told, "python3 -c")
    assert 30 < peak < 90
    assert 0.4 < seconds < 10


def test_what_a_measurement_needs_is_told(bench: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench("memory", "training", "--corpus", "a", "b")
    assert "training needs --config" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        bench("decoding", "model", "--audio", "a.wav", "--peer", "marian")
    assert "marian cannot read recordings" in capsys.readouterr().err
