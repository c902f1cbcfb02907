"""Serves a WSGI application on a port of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from waitress import wasyncore  # type: ignore[import-untyped]  # waitress ships no types
from waitress.server import create_server  # type: ignore[import-untyped]  # waitress ships no types

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def serve(
    app: "WSGIApplication", *, host: str = "127.0.0.1", port: int = 0, threads: int = 16
) -> Iterator[str]:
    """Serve `app` while the block runs and yield its address, as in `http://127.0.0.1:49152`.

    `host` is an IP address; port 0 takes any free one. The port accepts connections before the block begins.
    When the block ends, calls under way get up to five seconds to finish. Raises OSError for a port in use.
    """
    sockets: dict[int, object] = {}
    server = create_server(
        app, map=sockets, host=host, port=port, threads=threads, connection_limit=1000, asyncore_use_poll=True
    )
    stopping = Event()

    def loop() -> None:
        # waitress' own run() ends only from inside, and sockets must be closed by the thread that polls them.
        while not stopping.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)

    thread = Thread(target=loop, name=f"serving {server.effective_port}", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.effective_port}"
    finally:
        stopping.set()
        # The loop may have seen the sign already, and closed what would wake it.
        with suppress(OSError):
            server.pull_trigger()
        thread.join()
