"""``reward_synth envs``."""

from __future__ import annotations

from reward_synth.cli.options import Json


def envs(as_json: Json = False) -> None:
    """List families and tasks, and the extra that installs each."""
    from reward_synth.cli.output import print_json, print_table
    from reward_synth.envs import families

    rows = [
        {
            "family": family.name,
            "installed": family.installed,
            "install": ""
            if family.installed
            else f"pip install 'reward-synth[{family.extra}]'",
            "extra": family.extra,
            "default": family.default,
            "tasks": list(family.tasks),
        }
        for family in families()
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("family", "installed", "tasks (default first)"),
        [
            (
                str(row["family"]),
                "yes" if row["installed"] else f"no: {row['install']}",
                ", ".join(family.tasks),
            )
            for row, family in zip(rows, families(), strict=True)
        ],
    )
    print(
        "Any other Gymnasium id works too, and module:Id for an environment of yours."
    )
