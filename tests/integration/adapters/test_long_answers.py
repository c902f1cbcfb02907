"""Answers without an end: a host that is wrong, broken or hostile costs neither memory nor the run (T4)."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from muster.adapters.http_calls import LONGEST_ANSWER_BYTES, HttpAnswer, session_for
from muster.adapters.vault.answers import vault_system
from muster.errors import Unavailable

VAULT = vault_system("vault_crm")
MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

type Body = Callable[[], Iterator[bytes]]


def whole(body: bytes, *headers: bytes) -> Body:
    length = b"Content-Length: %d" % len(body)
    return lambda: iter([HEAD + b"\r\n".join([length, *headers]) + b"\r\n\r\n" + body])


def chunks(*pieces: bytes) -> Body:
    written = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b"")]
    return lambda: iter([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *written])


def endless(piece: bytes, *, every_s: float = 0) -> Body:
    def written() -> Iterator[bytes]:
        yield HEAD + b"\r\n"
        while True:
            yield piece
            time.sleep(every_s)

    return written


@contextmanager
def host(body: Body) -> Iterator[tuple[str, list[socket.socket]]]:
    """Serve one body to every call on this machine; yields the base URL and the connections so far."""
    ended = threading.Event()
    connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while connection.recv(MIB):
                    for piece in body():
                        if ended.is_set():
                            return
                        connection.sendall(piece)
            except OSError:
                return  # the client has had enough

    def accept(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", connections
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)


def call(base: str, calls: int = 1, wait_s: float = 5) -> list[HttpAnswer]:
    with session_for({f"{base}/": 0}) as session:
        return [VAULT.send(session, "GET", f"{base}/api", (1, wait_s)) for _ in range(calls)]


BOMB = gzip.compress(bytes(LONGEST_ANSWER_BYTES + 1))


@pytest.mark.parametrize(
    ("body", "read"),
    [
        pytest.param(whole(b'{"a": 1}'), b'{"a": 1}', id="short"),
        pytest.param(whole(b""), b"", id="empty"),
        pytest.param(whole(bytes(3 * MIB)), bytes(3 * MIB), id="a large page"),
        pytest.param(whole(gzip.compress(bytes(MIB)), b"Content-Encoding: gzip"), bytes(MIB), id="packed"),
        pytest.param(chunks(b"one", bytes(MIB), b"two"), b"one" + bytes(MIB) + b"two", id="chunks"),
    ],
)
def test_an_answer_is_read_whole_and_its_connection_used_again(body: Body, read: bytes) -> None:
    with host(body) as (base, connections):
        first, second = call(base, calls=2)
    assert (first.content, second.content, len(connections)) == (read, read, 1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(endless(bytes(MIB)), "more than 32 MiB", id="no end"),
        pytest.param(whole(BOMB, b"Content-Encoding: gzip"), "more than 32 MiB", id="a bomb"),
        pytest.param(endless(b"x", every_s=0.02), "did not finish its answer in time", id="a trickle"),
        pytest.param(whole(b'{"a": 1}', b"Content-Encoding: gzip"), "gave no whole answer", id="not packed"),
        pytest.param(
            lambda: iter([HEAD + b"Content-Length: 9\r\n\r\n{"]),
            "did not answer in time",
            id="less than said",
        ),
    ],
)
def test_an_answer_without_an_end_is_no_answer(body: Body, says: str) -> None:
    with host(body) as (base, _), pytest.raises(Unavailable, match=rf"Vault CRM .*{says}.*vault_crm\.host"):
        call(base, wait_s=0.3 if "in time" in says else 5)
