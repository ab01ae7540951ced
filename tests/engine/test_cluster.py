"""RayEngine on a real cluster of three nodes, two of which work: the same results, and
nothing is lost."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reward_synth.agents import TrialSpec, trial_call
from reward_synth.engine import Call, CallResult, EngineConfig, LocalEngine, RayEngine
from reward_synth.engine.cluster import Parcel, Resources, carried_out
from reward_synth.engine.config import read_resources
from reward_synth.engine.packing import fetched
from reward_synth.envs import resolve
from reward_synth.errors import NotAvailableError, UsageError
from tests.engine import work
from tests.engine.test_engine import FAILURES

pytest.importorskip("ray")
HOST = "127.0.0.2"
"""A loopback address that Ray does not exchange for one that others can reach."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": HOST}
    found = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        found.add_node(num_cpus=1, node_ip_address=HOST)
    try:
        yield found
    finally:
        for node in [*found.worker_nodes, found.head_node]:
            found.remove_node(node, allow_graceful=False)


def until(true: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < limit, f"{what} did not come"
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_calls_end_as_they_do_on_one_machine(cluster: Any) -> None:
    """Values, exceptions, deaths, exits, time limits and what cannot travel are the same
    records from both engines; every call has one."""
    calls = [Call(name, *_work(call)) for name, (call, _, _) in FAILURES.items()]
    calls.append(Call("value", work.double, (21,)))
    calls.append(Call("late", work.wait_a_little, (1,), timeout=0.2))
    calls.append(Call("stubborn", work.double, (work.Stubborn(),)))
    ticks: list[float] = []
    there = RayEngine(cluster.address).run(
        calls, lambda: ticks.append(time.monotonic())
    )
    found = {item.key: item for item in there}
    assert found == {item.key: item for item in LocalEngine(2).run(calls)}
    assert found["value"] == CallResult("value", "ok", 42)
    assert ticks


def _work(call: Call) -> tuple[Any, ...]:
    return call.function, call.arguments, call.timeout


@pytest.mark.slow
def test_a_lost_worker_loses_no_call(cluster: Any, tmp_path: Path) -> None:
    """SIGKILL for Ray's process takes the call's own along, and it is begun again."""
    mark = tmp_path / "mark"
    results = RayEngine(cluster.address).run(
        [Call("a", work.outlive, (str(mark),)), Call("b", work.wait_a_little, (1,))],
        lambda: _kill_once(mark, tmp_path / "killed"),
    )
    found = {item.key: item.value for item in results}
    assert found == {"a": "again", "b": 1}
    child = int((tmp_path / "killed").read_text())
    until(lambda: not alive(child), "the end of the call's process")


def _kill_once(mark: Path, killed: Path) -> None:
    text = mark.read_text() if mark.exists() and not killed.exists() else ""
    if text:
        child, worker = map(int, text.split())
        killed.write_text(str(child))
        os.kill(worker, signal.SIGKILL)


@pytest.mark.slow
def test_a_lost_node_loses_no_call(cluster: Any, tmp_path: Path) -> None:
    """A node that is gone takes no call with it: another one begins it again."""
    mark, went = tmp_path / "mark", tmp_path / "went"

    def lose() -> None:
        text = mark.read_text() if mark.exists() and not went.exists() else ""
        if text:
            went.touch()
            node = _node_of(cluster, int(text.split()[1]))
            cluster.remove_node(node, allow_graceful=False)

    calls = [Call("a", work.outlive, (str(mark),))]
    (result,) = RayEngine(cluster.address).run(calls, lose)
    cluster.add_node(num_cpus=1, node_ip_address=HOST)
    assert went.exists()
    assert result == CallResult("a", "ok", "again")


def _node_of(cluster: Any, worker: int) -> Any:
    """Return the node whose daemon is the parent of a worker process."""
    stat = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
    (node,) = (
        node
        for node in cluster.worker_nodes
        if node.all_processes["raylet"][0].process.pid == int(stat[1])
    )
    return node


@pytest.mark.slow
def test_leaving_the_loop_early_ends_what_still_runs(
    cluster: Any, tmp_path: Path
) -> None:
    """Closing the iterator kills the calls that are left, on whatever node."""
    mark = tmp_path / "mark"
    calls = [Call("hang", work.hang, (str(mark),)), Call("a", work.wait_a_little, (1,))]
    results = RayEngine(cluster.address).run(calls)
    assert next(iter(results)).key == "a"
    until(lambda: mark.exists() and mark.read_text() != "", "the other call")
    results.close()  # type: ignore[attr-defined]  # it is a generator
    until(lambda: not alive(int(mark.read_text())), "its end")


@pytest.mark.slow
def test_nothing_is_begun_after_a_stop(cluster: Any) -> None:
    """What runs is waited for, what waits is dropped."""
    calls = [Call(str(i), work.wait_a_little, (i,)) for i in range(4)]
    begun: list[int] = []

    def stopping() -> bool:
        begun.append(1)
        return len(begun) > 2

    engine = RayEngine(cluster.address, jobs=1, stopping=stopping)
    assert 1 <= len(list(engine.run(calls))) < 4


@pytest.mark.slow
def test_trainings_give_the_same_figures(cluster: Any, tmp_path: Path) -> None:
    """One seed, both engines: every number of a trial is equal, save its seconds; and
    its folder is filled in the same way."""
    ref = resolve("MountainCarContinuous-v0", {"max_episode_steps": 50})
    spec = TrialSpec(ref, ref.describe(), "sparse", 100, 0, episodes=2, evaluations=2)
    places = {name: tmp_path / name for name in ("here", "there")}
    found = {}
    for name, engine in (
        ("here", LocalEngine(1)),
        ("there", RayEngine(cluster.address)),
    ):
        (result,) = engine.run([trial_call(spec, places[name])])
        assert result.status == "ok", result.error
        found[name] = {k: v for k, v in result.value.items() if k != "seconds"}
    assert found["here"] == found["there"]
    files = {
        name: {str(item.relative_to(place)) for item in place.rglob("*.json*")}
        for name, place in places.items()
    }
    assert files["here"] == files["there"] != set()


def test_a_folder_that_is_not_shared_is_brought_back(tmp_path: Path) -> None:
    """A node without the caller's mark works elsewhere, and sends plain files; links,
    which lead somewhere else here, are left out. With the mark it writes in place."""
    folder = tmp_path / "trial"
    call = Call("a", work.write_a_file, (str(folder), "hello"), folder=str(folder))
    result, data = carried_out(
        Parcel("a", pickle.dumps(call), str(folder), "mine", None)
    )
    assert pickle.loads(result).value != str(folder)
    assert not folder.exists()
    fetched(data, folder)
    assert (folder / "deep" / "file.txt").read_text() == "hello"
    assert not (folder / "link").is_symlink()
    (folder / ".here").write_text("mine")
    (folder / "deep" / "file.txt").unlink()
    result, data = carried_out(
        Parcel("a", pickle.dumps(call), str(folder), "mine", None)
    )
    assert pickle.loads(result).value == str(folder)
    assert data == b""
    assert (folder / "deep" / "file.txt").exists()


@pytest.mark.slow
def test_a_cluster_without_room_is_refused(cluster: Any) -> None:
    """What no node has is said before anything waits for it."""
    engine = RayEngine(cluster.address, resources=Resources(cpus=99.0))
    with pytest.raises(
        NotAvailableError, match=r"has 99 CPUs and 0 GPUs .*--ray-resources"
    ):
        list(engine.run([Call("a", work.my_process)]))


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        (f"{HOST}:1", NotAvailableError, "No Ray cluster answers at 127.0.0.2:1"),
        ("here", UsageError, "'here' is no address"),
        ("host:port", UsageError, "looks like 10.0.0.1:6379"),
    ],
)
def test_an_address_without_a_cluster_is_refused_at_once(
    address: str, error: type[Exception], says: str
) -> None:
    """In seconds, not in the minutes that Ray would try."""
    began = time.monotonic()
    with pytest.raises(error, match=says):
        RayEngine(address)
    assert time.monotonic() - began < 30.0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"kind": "rey"}, "'rey'"),
        ({"jobs": 0}, "--jobs must be at least 1"),
        ({"address": "10.0.0.1:6379"}, "--engine ray"),
        ({"resources": Resources(gpus=1.0)}, "--engine ray"),
    ],
)
def test_settings_of_another_engine_are_refused(
    settings: dict[str, Any], says: str
) -> None:
    """Nothing that was asked for is silently left out."""
    with pytest.raises(UsageError, match=says):
        EngineConfig(**settings)


@pytest.mark.parametrize(
    "text", ["CPU", "CPU=x", "TPU=1", "CPU=0", "CPU=nan", "GPU=-1"]
)
def test_resources_that_mean_nothing_are_refused(text: str) -> None:
    """Names are CPU and GPU, numbers are above 0, of GPUs at least 0."""
    with pytest.raises(UsageError, match="CPU"):
        read_resources(text)
