"""``generate`` without a model, and what a user does with its result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reward_synth
from reward_synth.cli.output import print_table
from reward_synth.program import RewardProgram
from reward_synth.search.symbolic import SymbolicProposer
from tests.cli.tools import CAR, Cli, python, reward_bytes

SMALL = ("--n", 2, "--rounds", 1)
OWN = """
import gymnasium as gym
import numpy as np


class Line(gym.Env):
    observation_space = gym.spaces.Box(-10.0, 10.0, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = np.zeros(1)
        return self.x.copy(), {}

    def step(self, action):
        self.x = self.x + (1.0 if action else -1.0)
        there = bool(self.x[0] >= 3.0)
        return self.x.copy(), float(there), there, False, {}


gym.register("Line-v0", Line, max_episode_steps=50)
"""


def test_a_symbolic_run_gives_a_reward_that_checks_and_runs(cli: Cli) -> None:
    """The saved program passes check, and the printed snippet works as it stands."""
    made = cli("generate", "--env", CAR, "--n", 3)
    assert made.code == 0, made.err
    shown = re.search(r"Use it:\n(.*?)\n\n", made.out, re.DOTALL)
    assert shown is not None
    snippet = shown.group(1)

    ran = python(snippet)
    assert ran.code == 0, ran.err
    found = re.fullmatch(r"(\S+) (\S+) \{(.+)\}\n", ran.out)
    assert found is not None
    parts = [float(item.split(":")[1]) for item in found.group(3).split(",")]
    assert float(found.group(1)) == pytest.approx(float(found.group(2)) + sum(parts))

    folder = Path("runs/mountaincarcontinuous-v0-0001")
    assert repr(str(folder / "reward.py")) in snippet
    checked = cli("check", folder / "reward.py", "--env", CAR, "--json")
    assert checked.code == 0
    assert checked.json()["edited"] is False
    report = (folder / "report.md").read_text()
    assert "Proposer: **symbolic**. No model is configured (--model)" in report
    program = RewardProgram.load(folder / "reward.py")
    assert program.source.strip() in report
    assert program.source.strip() in made.out


def test_the_seed_decides_the_reward(cli: Cli) -> None:
    """The same seed gives the same bytes; others give others."""
    same = [
        reward_bytes(cli.json("generate", "--env", CAR, "--seed", 3, *SMALL))
        for _ in range(2)
    ]
    assert same[0] == same[1]
    other = [cli.json("generate", "--env", CAR, "--seed", s, *SMALL) for s in (4, 5)]
    assert {reward_bytes(item) for item in other} - {same[0]}


def test_json_stands_alone_on_standard_output(cli: Cli) -> None:
    """--json prints one JSON document, and it agrees with the files."""
    result = cli("generate", "--env", CAR, "--json", *SMALL)
    data = result.json()
    assert result.err == ""
    program = RewardProgram.load(data["reward"])
    assert data["digest"] == program.digest == data["candidates"][0]["digest"]
    assert (data["task"], data["proposer"]) == (CAR, "symbolic")
    assert len(data["candidates"]) == 2
    assert Path(data["run"], "report.md").exists()


def test_remarks_are_whole_lines(cli: Cli) -> None:
    """Where the output is no terminal, every remark is one line, however long."""
    result = cli("generate", "--env", CAR, *SMALL)
    assert all(line.startswith("· ") for line in result.err.splitlines())


def test_potential_shaping_needs_a_potential_and_gets_one(cli: Cli) -> None:
    """--combine potential saves a program with a potential, and the snippet says so."""
    result = cli("generate", "--env", CAR, "--combine", "potential", *SMALL)
    assert result.code == 0, result.err
    assert "combine='potential'" in result.out
    reward = "runs/mountaincarcontinuous-v0-0001/reward.py"
    assert "def compute_potential(" in Path(reward).read_text()
    with reward_synth.make(CAR) as bare:
        env = reward_synth.wrap(bare, reward, "potential")
        env.reset(seed=0)
        _, paid, _, _, info = env.step(env.action_space.sample())
    assert float(paid) != info["sparse_reward"]


def test_words_of_the_user_reach_the_program(cli: Cli) -> None:
    """--task is the instruction, and what it names is rewarded."""
    words = "hop forward fast"
    data = cli.json("generate", "--env", "Hopper-v5", "--task", words, *SMALL)
    assert words in Path(data["run"], "report.md").read_text()
    source = RewardProgram.load(data["reward"]).source
    assert words in source.lower()
    assert "velocity" in source


@pytest.mark.parametrize("words", [(), ("--task", "stand still")])
def test_no_success_rule_is_no_obstacle(cli: Cli, words: tuple[str, ...]) -> None:
    """Where nothing says what success is, rewards are made, and the run says so."""
    result = cli("generate", "--env", "CartPole-v1", *words, *SMALL)
    assert result.code == 0, result.err
    assert "no success rule" in result.err
    report = Path("runs/cartpole-v1-0001/report.md").read_text()
    assert "no rule is known" in report


def test_an_environment_of_the_user(cli: Cli, place: Path) -> None:
    """module:Id works from the current folder, and in the snippet as well."""
    (place / "own_line.py").write_text(OWN)
    env = ("--env", "own_line:Line-v0", "--success", "observation[0] >= 3")
    result = cli("generate", *env, *SMALL)
    assert result.code == 0, result.err
    shown = re.search(r"Use it:\n(.*?)\n\n", result.out, re.DOTALL)
    assert shown is not None
    ran = python(shown.group(1))
    assert ran.code == 0, ran.err


def test_a_finished_run_is_gone_through_again(cli: Cli) -> None:
    """The same command on the same --run gives the same result, and changes nothing."""
    command = ("generate", "--env", CAR, "--run", "mine", *SMALL)
    first = cli.json(*command)
    saved = reward_bytes(first)
    assert cli.json(*command) == first
    assert Path("mine/reward.py").read_bytes() == saved


def test_a_dry_run_writes_nothing(cli: Cli, place: Path) -> None:
    """--dry-run says what would be done and leaves the folder empty."""
    result = cli(
        "generate", "--env", CAR, "--dry-run", "--train-steps", 10, "--seeds", 3
    )
    assert result.code == 0, result.err
    arms = 1 + 2  # sparse, and the two best by default
    assert f"at most {arms * 3} trainings of {arms * 30} steps" in result.out
    assert re.search(
        r"steps in all, (under a minute|about \d+ minutes) here", result.out
    )
    assert list(place.iterdir()) == []


def test_saved_descriptions_are_taken_back(cli: Cli) -> None:
    """describe --save writes what generate --task-spec reads."""
    assert cli("describe", "--env", CAR, "--save", "task.json").code == 0
    data = cli.json("generate", "--env", CAR, "--task-spec", "task.json", *SMALL)
    assert data["task"] == CAR


@pytest.mark.usefixtures("good")
def test_a_description_of_another_task_is_told(cli: Cli) -> None:
    """--task-spec of another environment is used, and a remark names both."""
    assert cli("describe", "--env", CAR, "--save", "task.json").code == 0
    other = ("--env", "MountainCar-v0", "--task-spec", "task.json")
    result = cli("check", "good.py", *other)
    assert (
        f"task.json describes {CAR!r} and is used for 'MountainCar-v0'." in result.err
    )
    same = cli("check", "good.py", "--env", CAR, "--task-spec", "task.json")
    assert "is used for" not in same.err


def test_fewer_programs_than_asked_are_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the symbolic space is exhausted, a remark gives both numbers."""
    ask = SymbolicProposer.ask
    monkeypatch.setattr(SymbolicProposer, "ask", lambda self, n: ask(self, min(n, 1)))
    result = cli("generate", "--env", CAR, "--n", 3, "--rounds", 1)
    assert result.code == 0, result.err
    assert "· 1 of 3 candidates: " in result.err


@pytest.mark.parametrize("first", ["a_very_long_field_name_" * 3, "short"])
def test_the_first_column_of_a_table_is_whole(
    capsys: pytest.CaptureFixture[str], first: str
) -> None:
    """The names of rows are never folded or cut; what stands beside them is."""
    print_table(("name", "meaning"), [(first, "word " * 40), ("x", "y" * 200)])
    assert first in capsys.readouterr().out


@pytest.mark.maniskill
@pytest.mark.slow
def test_maniskill_in_one_command(cli: Cli) -> None:
    """A family's name alone gives a reward for its default task."""
    data = cli.json("generate", "--env", "ManiSkill", *SMALL)
    assert data["task"].startswith("ManiSkill/")
    assert "tcp" in RewardProgram.load(data["reward"]).source
