"""Lets in only who knows the token, from this machine, to read."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD")
HOSTS = ("127.0.0.1", "localhost")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Stands before an application and refuses whoever may not read.

    Args:
        app: What stands behind.
        token: What a visitor has to know; it comes in the address once, then in a cookie.
        port: Where the server listens.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"{host}:{port}" for host in HOSTS}
        if port == 80:  # noqa: PLR2004 - browsers leave this one out
            self._hosts |= set(HOSTS)
        self._cookie = f"reward-synth-{port}"  # cookies do not tell ports apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._answer(Request(scope)) or self._app
        await answer(scope, receive, guarded)

    def _answer(self, request: Request) -> Response | None:
        """Return what the visitor gets instead of a page; None: let in."""
        if request.headers.get("host", "").lower() not in self._hosts:
            return _refused("This server answers only at the address that it printed.")
        if request.method not in METHODS:
            allow = {"Allow": ", ".join(METHODS)}
            return PlainTextResponse("These pages can only be read.\n", 405, allow)
        given = request.query_params.get("token")
        if given is not None and self._known(given):
            return self._welcome(request)
        if given is None and self._known(request.cookies.get(self._cookie, "")):
            return None
        return _refused(
            "Open the address that reward_synth watch printed: it holds a token."
        )

    def _known(self, given: str) -> bool:
        said = given.encode("utf-8", "replace")
        return secrets.compare_digest(said, self._token)

    def _welcome(self, request: Request) -> Response:
        """Keep the token in a cookie, so that it leaves the address and the history."""
        path = request.scope["raw_path"].decode("latin-1")
        answer = RedirectResponse(path if path.startswith("/runs/") else "/", 303)
        answer.set_cookie(
            self._cookie,
            self._token.decode(),
            path="/",
            httponly=True,
            samesite="strict",
        )
        return answer


def _refused(sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", 403)
