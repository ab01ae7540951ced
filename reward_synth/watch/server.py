"""The server: Starlette answers, uvicorn listens, on this machine alone."""

from __future__ import annotations

import errno
import logging
import secrets
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reward_synth.errors import UsageError
from reward_synth.watch.guard import Guard
from reward_synth.watch.pages import (
    Page,
    address_of,
    assets,
    list_page,
    trouble_page,
)
from reward_synth.watch.watched import Watched

HOST = "127.0.0.1"


class WatchServer:
    """Serves pages of runs until it is stopped or interrupted.

    Args:
        watched: The runs.
        port: Where to listen; 0 takes any free port.

    Raises:
        UsageError: The port cannot be used.

    Example:
        >>> import tempfile
        >>> server = WatchServer(Watched(root=tempfile.mkdtemp()))
        >>> server.address.startswith("http://127.0.0.1:")
        True
        >>> server.close()
    """

    def __init__(self, watched: Watched, port: int = 0) -> None:
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(32)
        only = list(watched.runs()) if watched.alone else []
        path = address_of(only[0]) if only else "/"
        self.address = f"http://{HOST}:{self.port}{path}?token={token}"
        """Where a browser begins; whoever knows it can read the runs."""
        app = _application(watched, token, self.port)
        self._server = uvicorn.Server(_settings(app))

    def run(self) -> None:
        """Answer requests until the process is interrupted or :meth:`stop` is called."""
        # What goes wrong is told in the answers; uvicorn would print tracebacks when
        # connections are cut at the end.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.close()

    def stop(self) -> None:
        """End :meth:`run`, from any thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Free the port; a second call does nothing."""
        self._socket.close()


def _settings(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=0,
    )


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # A port whose last server has just ended is free.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen()
    except OSError as cause:
        made.close()
        taken = cause.errno == errno.EADDRINUSE
        said = "in use" if taken else f"not usable ({cause.strerror})"
        raise UsageError(
            f"Port {port} is {said}. Give another one with --port, or leave it out to "
            "take any free port."
        ) from cause
    return made


def _application(watched: Watched, token: str, port: int) -> Starlette:
    def runs(request: Request) -> Response:
        rows = [run.row() for run in watched.runs().values()]
        return _answer(request, list_page(rows, watched.place))

    def run(request: Request) -> Response:
        name = request.path_params["name"]
        found = watched.runs().get(name)
        if found is not None:
            return _answer(request, found.page())
        sentence = f"There is no run {name!r} in {watched.place}."
        return _answer(request, trouble_page("No such run", sentence, 404))

    def asset(request: Request) -> Response:
        kind, text = assets()[request.scope["path"]]
        return Response(text, media_type=kind)

    # Functions without `async` run in threads: a page that takes long to make holds up
    # no other request.
    routes = [Route("/", runs), Route("/runs/{name}", run)]
    routes += [Route(path, asset) for path in assets()]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, port=port)],
        exception_handlers={Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


def _answer(request: Request, page: Page) -> Response:
    headers = {"Content-Security-Policy": page.policy}
    if page.digest:
        headers["ETag"] = f'"{page.digest}"'
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
    body = page.text.encode("utf-8", "backslashreplace")
    return Response(body, page.status, headers, "text/html")


def _failed(_: Request, error: Exception) -> Response:
    said = " ".join(str(error).split())
    return PlainTextResponse(f"{type(error).__name__}: {said}\n", 500)
