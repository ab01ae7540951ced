"""``reward_synth annotate``, and the options that say who labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reward_synth.cli import options as o

if TYPE_CHECKING:
    from reward_synth.agents.intrinsic_setup import Asked

Annotator = Annotated[
    str,
    typer.Option(
        "--annotator",
        help="rules (no model is asked), or a language model's name at --base-url.",
    ),
]
RuleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        help="A regular expression and its label, such as 'unlock=helpful'; the first that "
        "fits counts, all else is unhelpful; repeatable. By default the task's own.",
    ),
]
Goal = Annotated[
    str | None,
    typer.Option(
        "--goal", help="What a model is told; by default the task's instruction."
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        help="An OpenAI-compatible endpoint; the key comes from OPENAI_API_KEY.",
    ),
]
CaptionOption = Annotated[
    str,
    typer.Option(
        "--caption",
        help="message, view (both of NetHack), task (fields by name), or module:function "
        "of your own; auto takes what fits.",
    ),
]
Journal = Annotated[
    str | None,
    typer.Option("--labels", help="Folder of a model's answers, shared by runs."),
]
DistilledOption = Annotated[
    str | None,
    typer.Option(
        "--distilled",
        help="A rule that `annotate --distil` wrote: it answers where it is trusted, the "
        "annotator elsewhere; without a model nobody does.",
    ),
]
MaxCalls = Annotated[
    int | None, typer.Option("--max-calls", help="Most requests of the labels.", min=1)
]
Prices = Annotated[
    str | None,
    typer.Option(
        "--prices",
        help="Of a million prompt and completion tokens, such as 0.5,1.5: tells cost.",
    ),
]
PerMinute = Annotated[
    float | None,
    typer.Option("--requests-per-minute", help="Most requests a minute."),
]


def annotate(
    env: o.Env,
    steps: Annotated[
        int, typer.Option("--steps", help="Of random play, whose captions are judged.")
    ] = 1000,
    captions: Annotated[
        str | None,
        typer.Option("--captions", help="A file instead: a caption a line."),
    ] = None,
    caption: CaptionOption = "auto",
    annotator: Annotator = "rules",
    rule: RuleOption = None,
    goal: Goal = None,
    base_url: BaseUrl = None,
    labels: Journal = None,
    max_calls: MaxCalls = None,
    prices: Prices = None,
    requests_per_minute: PerMinute = None,
    forecast: Annotated[
        int | None,
        typer.Option(
            "--forecast", help="Ask nobody: tell what a run of so many steps would ask."
        ),
    ] = None,
    learn: Annotated[
        str | None,
        typer.Option(
            "--learn", help="Train --model on the captions and write it to this file."
        ),
    ] = None,
    distil: Annotated[
        str | None,
        typer.Option(
            "--distil",
            help="Ask the model for a rule that labels as it does, try it on labels kept "
            "apart, and write it to this file.",
        ),
    ] = None,
    distilled: DistilledOption = None,
    model: Annotated[
        str,
        typer.Option("--model", help="oni-ranking (Motif's) or oni-classification."),
    ] = "oni-ranking",
    pairs: Annotated[
        int, typer.Option("--pairs", help="That a ranking asks about at most.", min=1)
    ] = 2000,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for a model's answers.")
    ] = 600.0,
    env_kwargs: o.EnvKwargs = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
) -> None:
    """Label the captions of random play, or of a file, and say who said so."""
    from reward_synth.agents import intrinsic_annotate as work
    from reward_synth.cli.output import out, print_json, print_table
    from reward_synth.envs import resolve

    asked = asked_of(
        annotator,
        rule,
        goal,
        base_url,
        labels,
        max_calls,
        prices,
        requests_per_minute,
        distilled,
    )
    ref = resolve(env, o.read_kwargs(env_kwargs))
    texts = work.read_captions(captions) if captions else None
    texts = texts or work.played_captions(ref, caption, steps, seed)
    if forecast is not None:
        told = work.forecast_of(ref, asked, texts, forecast)
        print_json(told) if as_json else print_table(
            ("what a run asks", ""), [(name, f"{x}") for name, x in told.items()]
        )
        return
    if distil is not None:
        clauses = work.distilled(ref, asked, texts, distil, wait)
        print_json(clauses) if as_json else _show_clauses(clauses, distil)
        return
    if learn is not None:
        kind: Any = model
        found = work.learned(
            ref, asked, texts, kind, learn, pairs=pairs, seed=seed, wait=wait
        )
        print_json(found) if as_json else print_table(
            ("learned", ""), [(name, f"{x}") for name, x in found.items()]
        )
        return
    rows = work.annotated(ref, asked, texts, wait)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("times", "label", "origin", "caption"),
        [(f"{x['times']}", x["label"], x["origin"], x["caption"]) for x in rows],
    )
    known = sum(x["times"] for x in rows if x["value"] is not None)
    out.print()
    out.print(f"{known / len(texts):.0%} of {len(texts)} steps have a label.")


def asked_of(
    annotator: str,
    rules: list[str] | None,
    goal: str | None,
    base_url: str | None,
    labels: str | None,
    max_calls: int | None,
    prices: str | None,
    per_minute: float | None,
    distilled: str | None = None,
) -> Asked:
    """Read the options that say who labels.

    Raises:
        UsageError: A rule or the prices cannot be read.
    """
    import math

    from reward_synth.agents.intrinsic_setup import Asked
    from reward_synth.intrinsic.annotation import Pace, Spending

    return Asked(
        annotator=annotator,
        rules=tuple(read_rule(text) for text in rules or ()),
        goal=goal,
        base_url=base_url,
        journal=labels,
        distilled=distilled,
        spending=Spending(
            calls=math.inf if max_calls is None else max_calls,
            prices=o.read_prices(prices),
        ),
        pace=Pace(requests_per_minute=math.inf if per_minute is None else per_minute),
    )


def _show_clauses(clauses: list[dict[str, Any]], path: str) -> None:
    from reward_synth.cli.output import out, print_table

    print_table(
        ("clause", "label", "tried", "agreed", "interval", "trusted"),
        [
            (
                row["clause"],
                row["label"],
                f"{row['tried']}",
                f"{row['agreed']:.0%}" if row["tried"] else "-",
                f"{row['low']:.0%} to {row['high']:.0%}",
                "yes" if row["trusted"] else "no",
            )
            for row in clauses
        ],
    )
    out.print()
    if any(row["trusted"] for row in clauses):
        out.print(f"{path}: trusted clauses answer with --distilled.", markup=False)
    else:
        out.print(f"{path}: no clause is trusted; label more captions.", markup=False)


def read_rule(text: str) -> Any:
    """Read ``--rule``.

    Raises:
        UsageError: It has no label, or its pattern is no regular expression.

    Example:
        >>> read_rule("You unlock=helpful").label
        'helpful'
    """
    from reward_synth.errors import UsageError
    from reward_synth.intrinsic.annotation import Rule

    pattern, found, label = text.rpartition("=")
    if not found or not pattern or not label:
        raise UsageError(
            f"--rule takes PATTERN=LABEL, such as 'unlock=helpful'; received {text!r}."
        )
    return Rule(pattern, label)
