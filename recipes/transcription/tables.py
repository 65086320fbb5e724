"""The tables of this recipe's README, generated from its results.json."""

from typing import Any

from recipes.ablations import ablation_table
from recipes.results import Result, runs_table, sample_tables, table


def tables(results: list[Result], ablations: list[Result]) -> dict[str, str]:
    """The generated parts of the README by the name of their markers."""
    return {
        "results": results_table(results),
        "runs": runs_table(results, "real-time factor", _real_time_factor),
        "samples": sample_tables(results, ["reference", "transcript"]),
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


def _real_time_factor(result: Result) -> str:
    return f"{next(iter(result['parts'].values()))['real_time_factor']:.3f}"
