"""Wrong input: one line on standard error, nothing on standard output, the right code."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_synth.program import RewardProgram
from reward_synth.task import Field, TaskSpec
from tests.cli.tools import CAR, Cli

GENERATE = ("generate", "--env", CAR)
TRAIN = ("train", "--env", CAR, "--reward", "good.py", "--train-steps", 10)
CHECK = ("check", "--env", CAR)
POLE = ("--env", "CartPole-v1", "--success", "pole_angle > 0")

ENVIRONMENTS = {
    "misspelt": (("--env", "MountainCarContinous-v0"), 3, f"Did you mean {CAR!r}"),
    "strange": (("--env", "Qqqqq"), 3, "reward_synth envs"),
    "no-such-task": (("--env", "ManiSkill/PushCub-v1"), 3, "'ManiSkill/PushCube-v1'"),
    "no-module": (("--env", "no_such_module:X-v0"), 3, "no module 'no_such_module'"),
    "no-env": ((), 2, "--env"),
    "kwargs-broken": (("--env", CAR, "--env-kwargs", "{"), 2, "not valid JSON"),
    "kwargs-list": (("--env", CAR, "--env-kwargs", "[1]"), 2, "JSON object"),
    "kwargs-unknown": (("--env", CAR, "--env-kwargs", '{"nope": 1}'), 2, "nope=1"),
    "rule-broken": (("--env", CAR, "--success", "nonsense >"), 2, "'nonsense >'"),
    "rule-field": (("--env", CAR, "--success", "foo > 1"), 2, "position, velocity"),
    "rule-info": (("--env", CAR, "--success", "info.nope"), 2, "'nope'"),
    "rule-empty": (("--env", CAR, "--success", ""), 2, "--success is empty"),
    "info-answer": (("--env", CAR, "--allow-info", "success"), 2, "holds the answer"),
    "info-missing": (("--env", CAR, "--allow-info", "nope"), 2, "'nope'"),
    "seed": (("--env", CAR, "--seed", -1), 2, "--seed"),
    "seed-large": (("--env", CAR, "--seed", 2**31), 2, "--seed"),
}
"""Options that describe, generate, check and train share."""

OPTIONS = {
    "n-zero": (("--n", 0), "--n must be at least 1, received 0"),
    "n-negative": (("--n", -3), "--n must be at least 1, received -3"),
    "n-word": (("--n", "many"), "--n"),
    "rounds": (("--rounds", 0), "--rounds"),
    "train-steps": (("--train-steps", -5), "--train-steps"),
    "train-top": (("--train-top", 0), "--train-top"),
    "seeds": (("--seeds", 0), "--seeds"),
    "jobs": (("--jobs", 0), "--jobs"),
    "episodes": (("--episodes", 0), "--episodes"),
    "repairs": (("--repairs", -1), "--repairs"),
    "max-tokens": (("--max-tokens", 0), "--max-tokens"),
    "timeout": (("--timeout", 0), "--timeout"),
    "timeout-nan": (("--timeout", "nan"), "--timeout"),
    "temperature": (("--temperature", 9), "--temperature must lie in [0, 2]"),
    "temperature-nan": (("--temperature", "nan"), "--temperature"),
    "weight": (("--weight", "nan"), "--weight must be finite"),
    "weight-zero": (("--weight", 0), "--weight must not be 0"),
    "combine": (
        ("--combine", "ad"),
        "combine='ad' is not one of add, replace, potential",
    ),
    "combine-group": (
        ("--combine", "group_normalised"),
        "acts on group, and a training's environment has only step and episode",
    ),
    "sandbox": (("--sandbox", "none"), "'reduced', 'strict'"),
    "algorithm": (("--algorithm", "td3"), "auto, sac, ppo"),
    "option": (("--nope",), "--nope"),
    "extra": (("extra",), "extra"),
    "url-alone": (("--base-url", "http://127.0.0.1:9/v1"), "--model"),
    "url-malformed": (
        ("--model", "m", "--base-url", "no url"),
        "http://127.0.0.1:8000",
    ),
    "model-empty": (("--model", ""), "--model is empty"),
    "run-and-resume": (("--run", "x", "--resume"), "not both"),
    "resume-nothing": (("--resume",), "no unfinished run"),
    "run-empty": (("--run", ""), "--run is empty"),
    "replay-nothing": (("--replay", "nowhere"), "nowhere holds no run"),
    "task-missing": (("--task-spec", "no.json"), "no.json"),
    "task-broken": (("--task-spec", "broken.json"), "broken.json"),
    "task-binary": (("--task-spec", "binary.py"), "binary.py"),
    "demos-missing": (("--demos", "no.npz"), "no.npz"),
    "demos-binary": (("--demos", "binary.py"), "binary.py"),
    "run-a-file": (("--run", "file"), "Cannot write file"),
    "run-below-a-file": (("--run", "file/x"), "Cannot write file/x"),
    "run-in-proc": (("--run", "/proc/x"), "Cannot write /proc/x"),
}
"""Options of generate; all are exit code 2."""
NOT_DRY = {name for name in OPTIONS if name.startswith(("run-", "resume-", "demos-"))}
"""A dry run takes no folder and reads no rollouts."""


@pytest.fixture(autouse=True)
def files(place: Path, good: Path) -> set[str]:
    """Files of all kinds; their names."""
    (place / "file").write_text("no folder")
    (place / "broken.json").write_text("{broken")
    (place / "binary.py").write_bytes(b"\x00\xff\xfe\x01")
    (place / "folder.py").mkdir()
    (place / "half.py").write_text("def compute_reward(position\n")
    (place / "bad.py").write_text(
        "import os\n\n\ndef compute_reward(position, nothing):\n"
        '    return {"x": position + nothing}\n'
    )
    return {item.name for item in place.iterdir()}


def refused(cli: Cli, arguments: tuple[object, ...], code: int) -> str:
    """Run what must fail in one line, and return the line."""
    result = cli(*arguments)
    assert result.code == code, result.err
    assert result.out == ""
    *remarks, last = result.err.splitlines()
    assert all(line.startswith("· ") for line in remarks), result.err
    assert last.startswith("error: ")
    assert "Traceback" not in last
    assert "REWARD_SYNTH_DEBUG" not in last, "not foreseen"
    return last


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("verb", ["generate", "describe"])
def test_what_is_wrong_with_an_environment(
    cli: Cli, verb: str, name: str, place: Path, files: set[str]
) -> None:
    """The line names the cause, and no folder is left behind."""
    options, code, said = ENVIRONMENTS[name]
    assert said in refused(cli, (verb, *options), code)
    runs = place / "runs"
    assert not runs.exists() or list(runs.iterdir()) == []
    assert {item.name for item in place.iterdir()} - files <= {"runs"}


@pytest.mark.parametrize("verb", ["generate", "describe"])
def test_a_missing_simulator_names_its_extra(
    cli: Cli, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A family whose package is not installed says what installs it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused(cli, (verb, "--env", "Robotics/FetchReach-v4"), 3)
    assert "pip install 'reward-synth[robotics]'" in said


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_wrong_with_an_option(cli: Cli, name: str, place: Path) -> None:
    """The line names the option, and no folder is left behind."""
    options, said = OPTIONS[name]
    assert said in refused(cli, (*GENERATE, *options), 2)
    runs = place / "runs"
    assert not runs.exists() or list(runs.iterdir()) == []


@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - NOT_DRY))
def test_a_dry_run_refuses_the_same(cli: Cli, name: str) -> None:
    """What a run would refuse, its dry run refuses in the same words."""
    options, said = OPTIONS[name]
    assert said in refused(cli, (*GENERATE, *options, "--dry-run"), 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "No such command 'nope'"),
        (("generat",), "Did you mean 'generate'"),
        ((*TRAIN, "--weight", "nan"), "--weight"),
        ((*TRAIN, "--weight", "inf"), "--weight"),
        ((*TRAIN, "--train-steps", 0), "--train-steps"),
        ((*TRAIN, "--seeds", 0), "--seeds"),
        ((*TRAIN, "--algorithm", "td3"), "auto, sac, ppo"),
        ((*TRAIN, "--combine", "potential"), "compute_potential"),
        ((*TRAIN, "--run", "file"), "Cannot write file"),
        (("train", "--env", CAR), "--reward"),
        (("check", "--env", CAR), "file"),
        (("check", "good.py"), "--env"),
        (("describe", "--env", CAR, "--save", "folder.py"), "folder.py"),
        (
            ("describe", "--env", CAR, "--save", "no/such/task.json"),
            "no/such/task.json",
        ),
        (("describe", "--env", CAR, "--save", "task.toml"), "task.toml: a task is"),
        ((*TRAIN, "--weight", 0), "--weight must not be 0"),
        (
            ("generate", *POLE, "--algorithm", "sac", "--train-steps", 10),
            "--algorithm ppo",
        ),
    ],
)
def test_wrong_usage(
    cli: Cli, arguments: tuple[object, ...], said: str, place: Path
) -> None:
    """Other commands and combinations: exit code 2, and what is wrong."""
    assert said in refused(cli, arguments, 2)
    runs = place / "runs"
    assert not runs.exists() or list(runs.iterdir()) == []


def test_training_needs_a_success_rule(cli: Cli) -> None:
    """Without a success rule the line tells how to give one; also in a dry run."""
    for more in ((), ("--dry-run",)):
        command = ("generate", "--env", "CartPole-v1", "--train-steps", 100, *more)
        line = refused(cli, command, 2)
        assert "--success '" in line
        assert "cart_position" in line


@pytest.mark.parametrize("name", ["missing.py", "folder.py", "binary.py"])
def test_reward_files_that_cannot_be_read(cli: Cli, name: str) -> None:
    """check and train name the file: exit code 2."""
    for command in (("check", name, "--env", CAR), (*TRAIN, "--reward", name)):
        assert f"Cannot read the reward file {name}" in refused(cli, command, 2)


@pytest.mark.parametrize("name", ["half.py", "bad.py"])
def test_programs_outside_the_language_are_not_trained(cli: Cli, name: str) -> None:
    """train refuses them in one line that holds every finding."""
    line = refused(cli, (*TRAIN, "--reward", name), 2)
    findings = cli("check", name, "--env", CAR).out.splitlines()[:-1]
    assert findings
    for finding in findings:
        assert finding.removeprefix(f"{name}: ") in line


def test_findings_have_lines(cli: Cli, place: Path) -> None:
    """check prints file, line and sentence of each finding: exit code 1."""
    result = cli("check", "bad.py", "--env", CAR)
    assert result.code == 1
    *findings, verdict = result.out.splitlines()
    lines = (place / "bad.py").read_text().splitlines()
    number = {text: row for row, text in enumerate(lines, start=1)}
    assert any(
        item.startswith(f"bad.py: line {number['import os']}: error:")
        and "import os" in item
        for item in findings
    )
    definition = next(row for text, row in number.items() if text.startswith("def"))
    assert any(
        item.startswith(f"bad.py: line {definition}: error:") and "'nothing'" in item
        for item in findings
    )
    assert verdict == f"bad.py: not usable, {len(findings)} findings."
    data = cli("check", "bad.py", "--env", CAR, "--json")
    assert data.code == 1
    assert len(data.json()["findings"]) == len(findings)


def test_a_good_file_passes(cli: Cli) -> None:
    """check of a usable program: exit code 0."""
    result = cli("check", "good.py", "--env", CAR)
    assert result.code == 0
    assert result.out == "good.py: usable, 0 findings.\n"


def test_a_reward_for_another_task(cli: Cli, place: Path) -> None:
    """check and train name each field that differs: exit code 2."""
    task = TaskSpec(
        "Other-v0",
        "",
        (Field("position", (3,)), Field("velocity"), Field("height")),
        Field("action", (1,)),
    )
    source = (
        "def compute_reward(position, velocity, height):\n"
        '    return {"x": position[0] + velocity + height}\n'
    )
    RewardProgram.of(source, task).save(place / "other.py")
    for command in (
        ("check", "other.py", "--env", CAR),
        (*TRAIN, "--reward", "other.py"),
    ):
        line = refused(cli, command, 2)
        assert "Other-v0" in line
        assert "position" in line
        assert "height" in line
        assert "velocity" not in line


def test_a_run_of_another_configuration(cli: Cli) -> None:
    """The line names each setting that differs, with both values."""
    command = (*GENERATE, "--n", 1, "--run", "mine")
    assert cli(*command).code == 0
    saved = Path("mine/reward.py").read_bytes()
    line = refused(cli, (*command, "--seed", 7, "--weight", 0.5), 2)
    assert "env.seed: 7 asked, 0 in the run" in line
    assert "weight: 0.5 asked, 1.0 in the run" in line
    assert line.count(" asked, ") == 2
    assert Path("mine/reward.py").read_bytes() == saved


def test_a_data_set_that_is_not_here(cli: Cli) -> None:
    """The line says how to get it: exit code 3."""
    pytest.importorskip("minari")
    line = refused(cli, (*GENERATE, "--demos", "no/such-v0"), 3)
    assert "minari download no/such-v0" in line


def test_debugging_shows_more(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """REWARD_SYNTH_DEBUG=1 adds the traceback."""
    monkeypatch.setenv("REWARD_SYNTH_DEBUG", "1")
    result = cli("check", "missing.py", "--env", CAR)
    assert result.code == 2
    assert "Traceback" in result.err
