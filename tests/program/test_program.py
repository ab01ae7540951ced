"""Reward programs as files: identity, origin, and what editing changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_synth.errors import ProgramError, ProgramMismatchError
from reward_synth.program import Provenance, RewardProgram
from reward_synth.task import Field
from tests.programs import TASK

SOURCE = """import numpy as np


def compute_reward(tcp_pos, prev_cube_pos, action):
    near = 1.0 - np.tanh(5.0 * np.linalg.norm(tcp_pos - prev_cube_pos))
    return {"near": near, "control": -0.01 * np.sum(action**2)}
"""
ORIGIN = Provenance("llm", "tiny", "r" * 8, ("a", "b"), 7, "0.1.0")


def program(source: str = SOURCE) -> RewardProgram:
    return RewardProgram.of(source, TASK, ORIGIN)


def test_the_signature_lists_the_fields_that_are_read() -> None:
    """prev_cube_pos reads cube_pos; fields stand in the task's order, action last."""
    assert program().signature == (
        "tcp_pos: float[3]",
        "cube_pos: float[3]",
        "action: float[4]",
    )
    assert program().task_id == "Toy/Carry-v0"


LAYOUTS = {
    "comment": SOURCE.replace("    near", "    # nearer is better\n    near"),
    "blank lines": SOURCE.replace("\n", "\n\n"),
    "spaces": SOURCE.replace(", ", " ,   "),
    "brackets": SOURCE.replace("1.0 - np", "(1.0) - np"),
    "quotes": SOURCE.replace('"', "'"),
    "line ends": SOURCE.replace("\n", "\r\n"),
    "indent": SOURCE.replace("    ", "  "),
}
MEANINGS = {
    "constant": SOURCE.replace("5.0", "5.1"),
    "name": SOURCE.replace('"near"', '"close"'),
    "sign": SOURCE.replace("1.0 - np", "1.0 + np"),
    "order": SOURCE.replace("tcp_pos - prev_cube_pos", "prev_cube_pos - tcp_pos"),
    "brackets": SOURCE.replace("1.0 - np.tanh(5.0 * ", "1.0 - 5.0 * np.tanh("),
}


@pytest.mark.parametrize("source", LAYOUTS.values(), ids=LAYOUTS)
def test_the_digest_ignores_layout(source: str) -> None:
    """Comments, blank lines, quotes and line ends are no part of a program's identity."""
    assert source != SOURCE
    assert program(source).digest == program().digest


@pytest.mark.parametrize("source", MEANINGS.values(), ids=MEANINGS)
def test_the_digest_sees_every_change_of_meaning(source: str) -> None:
    """Another constant, name or operation is another program."""
    assert source != SOURCE
    assert program(source).digest != program().digest


def test_the_digest_holds_the_fields_but_not_the_origin() -> None:
    """The same text over other shapes is another program; its author does not matter."""
    flat = tuple(replace(item, shape=(2,)) for item in TASK.fields[:3])
    other = replace(TASK, fields=(*flat, *TASK.fields[3:]))
    assert RewardProgram.of(SOURCE, other).digest != program().digest
    assert RewardProgram.of(SOURCE, TASK).digest == program().digest


def test_a_saved_program_comes_back_with_its_origin(tmp_path: Path) -> None:
    """Text, task, fields and every part of the provenance survive a file."""
    path = tmp_path / "reward.py"
    program().save(path)
    assert RewardProgram.load(path) == program()
    assert not RewardProgram.load(path).provenance.edited


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_survives_a_file(text: str, tmp_path: Path) -> None:
    """Also text that is no Python is saved, loaded, and has an identity."""
    path = tmp_path / "reward.py"
    saved = RewardProgram.of(text, TASK, ORIGIN)
    saved.save(path)
    loaded = RewardProgram.load(path)
    assert loaded.digest == saved.digest
    assert loaded.provenance == ORIGIN  # so it does not count as edited


def test_an_edited_file_says_so_and_keeps_what_it_still_reads(tmp_path: Path) -> None:
    """An edit marks the provenance; fields that are read no more leave the signature."""
    path = tmp_path / "reward.py"
    program().save(path)
    text = path.read_text()
    path.write_text(
        text.replace("prev_cube_pos, action", "goal_pos")
        .replace("prev_cube_pos", "goal_pos")
        .replace("-0.01 * np.sum(action**2)", "0.0")
    )
    edited = RewardProgram.load(path)
    assert edited.provenance == replace(ORIGIN, edited=True)
    assert edited.signature == ("tcp_pos: float[3]",)  # goal_pos never was in it
    edited.require_fit(TASK)
    assert edited.ir(TASK).reward is not None


def test_layout_is_no_edit(tmp_path: Path) -> None:
    """A comment in the file changes nothing that counts."""
    path = tmp_path / "reward.py"
    program().save(path)
    path.write_text(path.read_text() + "# looked at on Monday\n")
    assert not RewardProgram.load(path).provenance.edited


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_other_editors_change_nothing(tmp_path: Path, mark: str, end: bytes) -> None:
    """A byte order mark and other line ends leave header and program readable."""
    path = tmp_path / "reward.py"
    text = mark + program().to_text()
    path.write_bytes(text.encode().replace(b"\n", end))
    assert RewardProgram.load(path) == program()


def test_a_file_without_header_is_a_hand_written_program(tmp_path: Path) -> None:
    """Plain Python is a program without known task; leading comments stay."""
    path = tmp_path / "mine.py"
    path.write_text("# task: mine\n" + SOURCE)
    loaded = RewardProgram.load(path)
    assert loaded == RewardProgram("# task: mine\n" + SOURCE)
    assert loaded.provenance == Provenance("hand-written")
    loaded.require_fit(TASK)  # nothing is known that could differ


def test_a_broken_header_counts_as_edited() -> None:
    """Provenance that does not parse is unknown, never an exception."""
    for wrong in ("{", "[]", '{"parents": 3}'):
        lines = program().to_text().split("\n")
        spoiled = [f"# provenance: {wrong}" if "provenance" in x else x for x in lines]
        loaded = RewardProgram.from_text("\n".join(spoiled))
        assert loaded.source == program().source
        assert loaded.provenance == Provenance("unknown", edited=True)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and one that is no text give one error with the path."""
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.py", "binary.py"):
        with pytest.raises(ProgramError, match=f"Cannot read .*{name}"):
            RewardProgram.load(tmp_path / name)


def test_a_program_for_other_fields_names_each_difference() -> None:
    """Every missing or differing field is listed, a misspelled one with its nearest."""
    other = replace(
        TASK,
        id="Other-v0",
        fields=(Field("tcp_pose", (3,)), Field("cube_pos", (2,))),
        action=Field("action", (7,)),
    )
    with pytest.raises(ProgramMismatchError) as caught:
        program().ir(other)
    message = str(caught.value)
    assert "Toy/Carry-v0" in message
    assert "Other-v0" in message
    assert "'tcp_pos: float[3]' is missing. Did you mean 'tcp_pose'" in message
    assert "'cube_pos: float[3]' is 'cube_pos: float[2]' here" in message
    assert "'action: float[4]' is 'action: float[7]' here" in message


def test_a_program_outside_the_language_lists_every_finding() -> None:
    """ir() raises one error with all findings and their lines."""
    text = "def compute_reward(height):\n    x = open('f')\n    return {'a': hieght}\n"
    with pytest.raises(ProgramError) as caught:
        program(text).ir(TASK)
    assert "line 2" in str(caught.value)
    assert "line 3" in str(caught.value)


def test_half_a_character_is_a_finding() -> None:
    """A lone surrogate, which answers in JSON can hold, does not crash the parser."""
    spoiled = program("def compute_reward(height):\n    return {'\ud800': height}\n")
    assert len(spoiled.digest) == 64
    with pytest.raises(ProgramError, match="half a character"):
        spoiled.ir(TASK)
