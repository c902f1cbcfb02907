"""An export fetched by the link of the answer: the file is there whole, or as it was."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from muster_cli import options
from tests.doubles.muster_functions import Scripted, carry_out, done

ROWS = b"name,email\r\nAda Lovelace,ada@acme.example\r\n"


class Bucket(BaseHTTPRequestHandler):
    """Serves one whole file, and one that breaks off."""

    def do_GET(self) -> None:
        if self.path not in ("/whole", "/half"):
            self.send_error(403)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(ROWS)))
        self.end_headers()
        self.wfile.write(ROWS if self.path == "/whole" else ROWS[:10])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def bucket() -> Iterator[str]:
    """Return the address of a bucket."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def exported(monkeypatch: pytest.MonkeyPatch, output: Path, **answer: object) -> tuple[int, str]:
    functions = Scripted([done("2 rows written.", what="roster", **answer)])
    monkeypatch.setattr(options, "functions_of", lambda *place, local: functions)
    result = carry_out("export", "roster", "--output", str(output), "-o", "acme")
    return result.exit_code, result.stderr


def test_the_file_is_fetched(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = tmp_path / "roster.csv"

    code, said = exported(monkeypatch, output, link=f"{bucket}/whole")

    assert (code, output.read_bytes()) == (0, ROWS)
    assert said == f"Written to {output}.\n"


@pytest.mark.parametrize("path", ["half", "expired"])
def test_what_cannot_be_fetched_whole_leaves_what_was_there(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    output = tmp_path / "roster.csv"
    output.write_text("of yesterday")

    code, said = exported(monkeypatch, output, link=f"{bucket}/{path}")

    assert code == 1
    assert f"{output} cannot be written" in said
    assert output.read_text() == "of yesterday"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("answer", [{}, {"link": "file:///etc/passwd"}])
def test_only_a_link_of_the_web_is_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: dict[str, str]
) -> None:
    code, said = exported(monkeypatch, tmp_path / "roster.csv", **answer)

    assert code == 1
    assert "The answer has no link to a file." in said
    assert not list(tmp_path.iterdir())
