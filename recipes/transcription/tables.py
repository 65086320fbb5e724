"""The tables of this recipe's README, generated from its results.json."""

from typing import Any

from recipes.ablations import ablation_table
from recipes.results import Result, groups, short_commit, table


def tables(results: list[Result], ablations: list[Result]) -> dict[str, str]:
    """The generated parts of the README by the name of their markers."""
    return {
        "results": results_table(results),
        "runs": runs_table(results),
        "samples": samples(results),
        "ablations": ablation_table(ablations),
    }


def results_table(results: list[Result]) -> str:
    """Error rates of the model and the baseline, a row for each test part and length, and the signatures below."""
    header = ["corpus", "config", "seed", "part", "segments", "WER", "CER", "wrong segments", "constant WER"]
    rows: list[list[object]] = []
    signatures: dict[str, None] = {}
    for result in results:
        for name, part in result["parts"].items():
            named = [f"{result['corpus']} {result['languages']}", f"`{result['config']}`", result["seed"]]
            model, constant = part["systems"]["model"], part["systems"]["constant"]
            rows.append([*named, name, part["segments"], *_rates(model), f"{constant['wer']['score']:.1f}"])
            for length, rates in part["by_length"].items():
                rows.append([*named, f"{name}, {length}", rates["ser"]["reference_length"], *_rates(rates), ""])
            signatures |= {f"- {metric.upper()}: `{rate['signature']}`": None for metric, rate in model.items()}
    return "\n".join([table(header, rows), "", *signatures])


def _rates(rates: dict[str, Any]) -> list[str]:
    return [_rate(rates[metric]) for metric in ("wer", "cer", "ser")]


def _rate(rate: dict[str, Any]) -> str:
    shown = f"{rate['score']:.2f}"
    return (
        f"{shown} ({' to '.join(f'{bound:.2f}' for bound in rate['interval_95'])})" if "interval_95" in rate else shown
    )


def runs_table(results: list[Result]) -> str:
    """Where the rows of the results come from."""
    header = ["corpus", "config", "seed", "minutes", "threads", "hardware", "torch", "real-time factor", "commit"]
    return table(
        header,
        [
            [
                f"{result['corpus']} {result['languages']}",
                f"`{result['config']}`",
                result["seed"],
                f"{result['minutes']:.1f}",
                result["threads"],
                result["hardware"],
                result["versions"]["torch"],
                f"{next(iter(result['parts'].values()))['real_time_factor']:.3f}",
                short_commit(result["commit"]),
            ]
            for result in results
        ],
    )


def samples(results: list[Result]) -> str:
    """The samples of the first seed of each data set and config."""
    sections = []
    for group in groups(results):
        first = group[0]
        title = f"{first['corpus']} {first['languages']}, `{first['config']}`, seed {first['seed']}:"
        rows = [[sample["reference"], sample["transcript"]] for sample in first["samples"]]
        sections.append(f"{title}\n\n{table(['reference', 'transcript'], rows)}")
    return "\n\n".join(sections)
