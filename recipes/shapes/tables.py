"""The tables of the READMEs in this folder, generated from the recipes' results.json."""

from statistics import mean

from recipes.results import Result, groups, runs_table, table


def tables(results: list[Result], ablations: list[Result]) -> dict[str, str]:
    """The generated parts of a README by the name of their markers; these recipes have no ablations."""
    return {"results": results_table(results), "runs": runs(results)}


def runs(results: list[Result]) -> str:
    """Where the results come from."""
    return runs_table(results, "weights", lambda result: f"{result['parameters']:,}")


def results_table(results: list[Result]) -> str:
    """Each system's scores, as means over seeds with the lowest and the highest, and how they are computed."""
    header = ["data", "config", "part", "system", "scores"]
    rows = [
        [
            f"{group[0]['corpus']} {group[0]['languages']}",
            f"`{group[0]['config']}`",
            f"{name}, {part['segments']:,}",
            system,
            ", ".join(f"{metric} {_spread(group, name, system, metric)}" for metric in scores),
        ]
        for group in groups(results)
        for name, part in group[0]["parts"].items()
        for system, scores in part["systems"].items()
    ]
    headlines = {(result["headline"]["metric"], result["headline"]["signature"]) for result in results}
    return "\n".join([table(header, rows), "", *(f"- {name}: `{how}`" for name, how in sorted(headlines))])


def _spread(group: list[Result], part: str, system: str, metric: str) -> str:
    values = [result["parts"][part]["systems"][system][metric] for result in group]
    if min(values) == max(values):
        return f"{values[0]:.4g}"
    return f"{mean(values):.4g} ({len(values)} seeds: {min(values):.4g} to {max(values):.4g})"
