"""Weights: what is not exactly a policy's tensors in a plain file is refused by name."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from reward_synth.agents.failures import WeightsError
from reward_synth.agents.weights import read_weights, write_weights

POLICY = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2)}
NAME = "600.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """A descriptor of the folder of weights."""
    opened = os.open(tmp_path, os.O_RDONLY)
    yield opened
    os.close(opened)


def test_weights_come_back_bit_by_bit(folder: int, tmp_path: Path) -> None:
    """What is written is what is read, also where modules share a tensor."""
    write_weights(POLICY, tmp_path / NAME)
    found = read_weights(folder, NAME, POLICY)
    assert found.keys() == POLICY.keys()
    assert all(torch.equal(found[name], POLICY[name]) for name in POLICY)
    one = torch.ones(3)
    write_weights({"a": one, "b": one}, tmp_path / NAME)
    assert torch.equal(read_weights(folder, NAME, {"a": one, "b": one})["b"], one)
    assert os.listdir(tmp_path) == [NAME]


def test_weights_that_are_not_there_yet_are_no_failure(folder: int) -> None:
    """The evaluator looks again."""
    with pytest.raises(FileNotFoundError):
        read_weights(folder, NAME, POLICY)


def changed(name: str, value: torch.Tensor) -> bytes:
    return save({**POLICY, name: value})


REFUSED: dict[str, tuple[bytes, str]] = {
    "pickle": (pickle.dumps(POLICY), "are no safetensors: a header of"),
    "header of 10 GB": (struct.pack("<Q", 10**10) + b"{}", "a header of 10000000000"),
    "empty": (b"", "are no safetensors"),
    "cut off": (save(POLICY)[:-1], "are no safetensors"),
    "no JSON": (struct.pack("<Q", 4) + b"{{{{", "are no safetensors"),
    "NaN": (
        changed("layer.bias", torch.tensor([1.0, float("nan")])),
        "layer.bias that",
    ),
    "inf": (changed("layer.bias", torch.tensor([float("-inf"), 1.0])), "not finite"),
    "shape": (changed("layer.weight", torch.zeros(3, 2)), r"\(3, 2\) .* is \(2, 3\)"),
    "type": (changed("layer.bias", torch.ones(2).double()), "float64; the policy's is"),
    "another": (changed("back.door", torch.ones(1)), "have 'back.door'"),
    "one less": (save({"layer.bias": torch.ones(2)}), "lack 'layer.weight'"),
    "too long": (save(POLICY) + bytes(1 << 21), "has at most"),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_policy_is_refused(
    data: bytes, says: str, folder: int, tmp_path: Path
) -> None:
    """A sentence that names the file and the fault."""
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(WeightsError, match=says) as caught:
        read_weights(folder, NAME, POLICY)
    assert NAME in str(caught.value)


def link(path: Path) -> None:
    (path.parent / "true").write_bytes(save(POLICY))
    path.symlink_to(path.parent / "true")


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


PLACES: dict[str, tuple[Callable[[Path], None], str]] = {
    "link": (link, "cannot be opened"),
    "pipe": (os.mkfifo, "cannot be opened: no plain file"),
    "folder": (lambda path: path.mkdir(), "cannot be opened: no plain file"),
    "sparse file of 1 TB": (sparse, "has at most"),
}


@pytest.mark.parametrize(("make", "says"), PLACES.values(), ids=PLACES)
def test_only_plain_files_are_opened(
    make: Callable[[Path], None], says: str, folder: int, tmp_path: Path
) -> None:
    """Links are not followed, pipes do not block, size is looked at first."""
    make(tmp_path / NAME)
    with pytest.raises(WeightsError, match=says):
        read_weights(folder, NAME, POLICY)


def test_a_folder_that_is_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    """Files are looked up in the folder that was opened, wherever its name now leads."""
    own, other = tmp_path / "weights", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    opened = os.open(own, os.O_RDONLY)
    write_weights(POLICY, other / NAME)
    own.rename(tmp_path / "moved")
    own.symlink_to(other)
    with pytest.raises(FileNotFoundError):
        read_weights(opened, NAME, POLICY)
    os.close(opened)
