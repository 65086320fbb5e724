"""The tables of this recipe's README, generated from its results.json."""

from typing import Any

from recipes.results import Result, runs_table, sample_tables, table

UNITS = ("token", "word", "character")


def tables(results: list[Result], _ablations: list[Result]) -> dict[str, str]:
    """The generated parts of the README by the name of their markers; this recipe has no plan of ablations."""
    return {
        "results": results_table(results),
        "runs": runs_table(results, "n-grams", lambda result: result["baseline"]),
        "samples": sample_tables(results, ["line"]),
    }


def results_table(results: list[Result]) -> str:
    """Perplexities of the model and of n-grams, a row for each test part, and the signatures below."""
    header = ["corpus", "config", "seed", "part", "lines", *(f"per {unit}" for unit in UNITS)]
    header += ["n-grams, per token", "n-grams, per word", "lower per word by"]
    rows: list[list[object]] = []
    signatures: dict[str, None] = {}
    for result in results:
        for name, part in result["parts"].items():
            model, ngram = part["systems"]["model"], part["systems"]["ngram"]
            compared = part["comparison"]
            rows.append(
                [
                    f"{result['corpus']} {result['languages']}",
                    f"`{result['config']}`",
                    result["seed"],
                    name,
                    part["lines"],
                    f"{model['token']['score']:.2f}",
                    _between(model["word"], compared["model_interval_95"]),
                    f"{model['character']['score']:.3f}",
                    f"{ngram['token']['score']:.2f}",
                    _between(ngram["word"], compared["baseline_interval_95"]),
                    f"{_between({'score': compared['reduction']}, compared['interval_95'], 1)} %",
                ]
            )
            signatures |= {f"- per {unit}: `{model[unit]['signature']}`": None for unit in UNITS}
            signatures[f"- intervals: `{compared['signature']}`"] = None
    return "\n".join([table(header, rows), "", *sorted(signatures)])


def _between(value: dict[str, Any], bounds: list[float], digits: int = 2) -> str:
    lower, upper = (f"{bound:.{digits}f}" for bound in bounds)
    return f"{value['score']:.{digits}f} ({lower} to {upper})"
