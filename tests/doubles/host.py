"""A host that answers as it is told, for what no stand-in would say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.serving import serve


class Host:
    """Answers as it is told, the last answer over and over, and keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.logins: list[Request] = []
        self.calls: list[Request] = []
        self.answers: list[Response] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        if self.is_login(request):
            self.logins.append(request)
            answer = self.let_in()
        else:
            self.calls.append(request)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(environ, start_response)

    def is_login(self, request: Request) -> bool:
        """Tell whether a request is answered with `let_in`, and kept apart from the others."""
        return False

    def let_in(self) -> Response:
        """Return the answer to a login."""
        raise NotImplementedError

    def say(self, *bodies: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer so from now on, one after the other; what is neither text nor bytes as JSON."""
        self.answers = [answer(body, status, headers) for body in bodies]


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer; what is neither text nor bytes as JSON."""
    return Response(body if isinstance(body, str | bytes) else json.dumps(body), status, headers)


@contextmanager
def served[H: Host](host: H, threads: int = 4) -> Iterator[H]:
    """Serve a host while the block runs."""
    with serve(host, threads=threads) as host.url:
        yield host
