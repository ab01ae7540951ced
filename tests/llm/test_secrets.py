"""The API key is in the header of requests, and nowhere else."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reward_synth.llm.secrets import Secret
from tests.cli.tools import CAR, Cli, start
from tests.llm import server as fake
from tests.llm.server import FaultServer

KEY = "sk-se/cret+0123456789abcdef"
"""With characters that URLs, JSON and base64 spell in their own ways."""

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda key: urllib.parse.quote(key, safe=""),
    "percent, all of it": lambda key: "".join(f"%{ord(c):02x}" for c in key),
    "percent, twice": lambda key: urllib.parse.quote(urllib.parse.quote(key, safe="")),
    "JSON slash": lambda key: key.replace("/", "\\/"),
    "JSON escapes": lambda key: "".join(f"\\u{ord(c):04X}" for c in key),
    "HTML": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "HTML, hexadecimal": lambda key: "".join(f"&#x{ord(c):x};" for c in key),
    "hexadecimal": lambda key: key.encode().hex(),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of the header": lambda key: base64.b64encode(
        f"Bearer {key}".encode()
    ).decode(),
    "base64 of a login": lambda key: base64.b64encode(f"me:{key}:".encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(
        f"x{key}y".encode()
    ).decode(),
    "base64, percent": lambda key: urllib.parse.quote(
        base64.b64encode(key.encode()).decode(), safe=""
    ),
}


def inner(text: str) -> str:
    """Return the middle of an encoded key, which no neighbour changes."""
    return text[len(text) // 4 : -len(text) // 4]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a key in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return tmp_path


@pytest.fixture
def cli(place: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process."""
    return Cli(capsys)


def leaks(data: bytes) -> list[str]:
    """Return the forms in which data holds the key."""
    text = data.decode("utf-8", errors="replace").lower()
    unescaped = text.replace("\\\\", "\\").replace('\\"', '"')
    return [
        name
        for name, form in FORMS.items()
        if inner(form(KEY)).lower() in text or inner(form(KEY)).lower() in unescaped
    ]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_cut(name: str) -> None:
    """Nothing of the key's middle is left, and the rest of the text is."""
    secret = Secret(KEY)
    told = secret.redact(f"bad key {FORMS[name](KEY)}, sorry")
    assert told.startswith("bad key ")
    assert told.endswith(", sorry")
    assert "[API key]" in told
    assert leaks(told.encode()) == []


@pytest.mark.parametrize(
    "text", ["", "sk-se/cret", "%25" * 100_000, "\\" * 200_000, "sk-se/" * 30_000]
)
def test_other_texts_stay(text: str) -> None:
    """Parts of a key are no key; odd texts take no more than linear time."""
    began = time.monotonic()
    assert Secret(KEY).redact(text) == text
    assert time.monotonic() - began < 10.0


def test_the_tests_would_notice() -> None:
    """The search finds the key in every form, so its silence means something."""
    for name, form in FORMS.items():
        assert name in leaks(f"before {form(KEY)} after".encode())


def echoes() -> Iterator[fake.Behaviour]:
    """Yield answers and failures that repeat the key, in all its forms."""
    said = " ".join(form(KEY) for form in FORMS.values())
    program = (
        "```python\ndef compute_reward(position, velocity):\n"
        f'    """{KEY}"""\n    return {{"{"a"}": position}}  # {said}\n```'
    )
    yield fake.Status(429, message=said, headers={"retry-after-ms": "1", "X": KEY})
    yield fake.Raw(f"<html>{said}</html>".encode(), "text/html")
    yield fake.Status(500, message=said, error={"code": KEY, "param": said})
    yield fake.Close(json.dumps({"choices": said}).encode())
    yield fake.Good(program)


def files(folder: Path) -> bytes:
    """Return all that lies in a folder, names too."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(str(path).encode() + path.read_bytes() for path in found)


def test_a_run_that_succeeds_holds_no_key(cli: Cli, place: Path) -> None:
    """Four failures and an answer repeat it: no file, no line of output has it."""
    script = list(echoes())
    with FaultServer(script) as server:
        model = ("--model", "tiny", "--base-url", server.url)
        result = cli("generate", "--env", CAR, *model, "--n", 1, "--run", "mine")
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
        assert server.count == len(script)
    assert result.code == 0, result.err
    assert b"[API key]" in files(place / "mine")
    assert leaks(files(place) + (result.out + result.err).encode()) == []


@pytest.mark.parametrize("code", [401, 404, 400, 500, 307])
def test_a_run_that_fails_holds_no_key(
    cli: Cli, place: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one that fails, its error, or its traceback."""
    monkeypatch.setenv("REWARD_SYNTH_DEBUG", "1")
    said = " ".join(form(KEY) for form in FORMS.values())
    echo = fake.Status(
        code, message=said, headers={"Location": f"/{KEY}", "Retry-After": "1000000"}
    )
    with FaultServer([echo]) as server:
        model = ("--model", "tiny", "--base-url", server.url)
        result = cli("generate", "--env", CAR, *model, "--n", 1, "--run", "mine")
    assert result.code in {1, 3, 75}
    assert "Traceback" in result.err
    assert leaks(files(place) + (result.out + result.err).encode()) == []


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [x for child in map(int, children) for x in (child, *descendants(child))]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_workers_do_not_know_the_key(place: Path) -> None:
    """The locked process that checks programs starts without it."""
    code = "def compute_reward(position):\n    return {'a': position}"
    seen: dict[int, list[bytes]] = {}
    with FaultServer([fake.Good(f"```python\n{code}\n```")]) as server:
        model = ("--model", "tiny", "--base-url", server.url)
        child = start("generate", "--env", CAR, *model, "--n", 1, "--run", "mine")
        while child.poll() is None:
            for pid in descendants(child.pid):
                with contextlib.suppress(OSError):  # it is gone
                    told = Path(f"/proc/{pid}/environ").read_bytes()
                    seen.setdefault(pid, []).append(told)
            time.sleep(0.005)
        child.communicate()
    assert child.returncode == 0
    assert os.environ["OPENAI_API_KEY"] == KEY
    # In the instant between fork and exec a process still shows its parent's.
    lasting = {pid: told[-1] for pid, told in seen.items() if len(told) > 2}
    assert lasting, "no worker was seen"
    assert [pid for pid, told in lasting.items() if leaks(told)] == []
