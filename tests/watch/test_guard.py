"""Who may read: one user of one machine, and nothing but the runs."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.watch.tools import Visitor

PATHS = ("/", "/runs/new-0001", "/runs/unknown", "/live.js", "/page.css", "/nothing")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_strangers_see_nothing(stranger: Visitor, path: str, method: str) -> None:
    """Without token and cookie every address gives 403, in one sentence, and the same
    for runs that are there and runs that are not."""
    answer = stranger.ask(path, method)
    assert answer.status == 403
    expected = "Open the address that reward_synth watch printed: it holds a token.\n"
    assert answer.text == (expected if method == "GET" else "")


def test_the_token_becomes_a_cookie(stranger: Visitor) -> None:
    """The printed address sets a cookie that scripts and other sites cannot use, and
    leads to the address without the token."""
    answer = stranger.ask(f"/?token={stranger.token}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    stranger.cookie = cookie.partition(";")[0]
    assert stranger.ask("/").status == 200
    assert stranger.token not in stranger.ask("/").text


def test_the_token_leads_to_pages_of_this_server_only(stranger: Visitor) -> None:
    """An address with the token leads to a run's page or the list, never elsewhere."""
    for path, target in {
        "/runs/new-0001": "/runs/new-0001",
        "//evil.example/": "/",
        "/%5Cevil.example": "/",
        "/runs/%0d%0aX:%201": "/runs/%0d%0aX:%201",
    }.items():
        answer = stranger.ask(f"{path}?token={stranger.token}")
        assert (answer.status, answer.headers["Location"]) == (303, target)


@pytest.mark.parametrize("given", ["", "x", "é", "%00", "a" * 5000])
def test_wrong_tokens_are_refused(visitor: Visitor, given: str) -> None:
    """A wrong token is refused as an address and as a cookie, whatever it is made of."""
    path = f"/?token={given.replace('é', '%C3%A9')}"
    assert visitor.ask(path).status == 403
    name = visitor.cookie.partition("=")[0]
    visitor.cookie = f"{name}={given}".encode().decode("latin-1")
    assert visitor.ask("/").status == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "",
        "[::1]:{port}",
    ],
)
def test_other_hosts_are_refused(visitor: Visitor, host: str) -> None:
    """A name that someone else points at this machine opens nothing, not even with the
    cookie or the token."""
    named = host.format(port=visitor.port)
    for path in ("/", f"/?token={visitor.token}", "/runs/new-0001"):
        answer = visitor.ask(path, Host=named)
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
        assert "new-0001" not in answer.text


def test_localhost_is_a_name_of_this_machine(visitor: Visitor) -> None:
    """The name localhost works as the number does."""
    assert visitor.ask("/", Host=f"LocalHost:{visitor.port}").status == 200


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
)
def test_pages_can_only_be_read(visitor: Visitor, method: str) -> None:
    """Every method but GET and HEAD is refused, and the allowed ones are named."""
    for path in ("/", "/runs/new-0001", f"/?token={visitor.token}"):
        answer = visitor.ask(path, method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


TRAVERSALS = (
    "/runs/../secret.txt",
    "/runs/..%2fsecret.txt",
    "/runs/%2e%2e/secret.txt",
    "/runs/%2e%2e%2fsecret.txt",
    "/runs/..",
    "/runs/.",
    "/runs/",
    "/runs//",
    "/runs/no-run",
    "/runs/new-0001/",
    "/runs/new-0001/plan.json",
    "/runs/new-0001%2fplan.json",
    "/runs/new-0001%00",
    "/runs/..%5csecret.txt",
    "/runs/%c0%ae%c0%ae%c0%afsecret.txt",
    "/../secret.txt",
    "//secret.txt",
    "/live.js/../../server.py",
    "/assets/live.js",
    "/etc/passwd",
    "/runs//etc/passwd",
)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_address_leads_to_a_file(visitor: Visitor, root: Path, path: str) -> None:
    """Runs are found by their ids alone: whatever a path spells, no file is read."""
    (root.parent / "secret.txt").write_text("SECRET")
    (root / "secret.txt").write_text("SECRET")
    answer = visitor.ask(path)
    assert answer.status == 404
    for said in ("SECRET", "root:", "reward_synth bench mine", "import"):
        assert said not in answer.text


@pytest.mark.parametrize("path", [*PATHS, "/?token=wrong"])
def test_every_answer_is_kept_apart(visitor: Visitor, path: str) -> None:
    """Pages, refusals and missing ones state a policy, are not framed, not stored, not
    taken for another type, and tell no other site where they were."""
    headers = visitor.ask(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/", "/runs/new-0001", "/runs/unknown"])
def test_pages_may_ask_this_server_and_nobody_else(visitor: Visitor, path: str) -> None:
    """Scripts, styles and requests come from this server; no inline code is allowed but
    what the report's own fingerprints name; the saved page's ban is not sent along."""
    answer = visitor.ask(path)
    parts = [
        item.split() for item in answer.headers["Content-Security-Policy"].split(";")
    ]
    rules = {key: values for key, *values in parts}
    assert rules["connect-src"] == ["'self'"]
    for key in ("script-src", "style-src"):
        assert "'self'" in rules[key]
        assert all(x == "'self'" or x.startswith("'sha256-") for x in rules[key])
    assert (
        rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    )
    assert "Content-Security-Policy" not in answer.text


def test_only_this_machine_is_listened_to(visitor: Visitor) -> None:
    """The port is open on the loopback address and on no other one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no other address")
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((outside, visitor.port), timeout=5).close()
