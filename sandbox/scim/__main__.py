"""Runs the sandbox until it is told to stop.

    python -m sandbox.scim --port 0 --data scim.sqlite --token X --quirks '{"profile": "slack"}'

Once it listens it prints one line of JSON: url, path, token.
"""

import argparse
import json
import logging
import signal
from dataclasses import asdict
from threading import Event

from sandbox.scim.app import TITLE, running
from sandbox.scim.profiles import PROFILES
from sandbox.scim.quirks import read_quirks


def main() -> None:
    """Run the sandbox until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.scim", description="A local app with SCIM 2.0.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="IP address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--data", default=":memory:", help="SQLite file to keep the data in (default: memory)"
    )
    parser.add_argument("--token", help="bearer token (default: made up)")
    parser.add_argument("--title", default=TITLE, help=f"name on the page (default: {TITLE})")
    parser.add_argument(
        "--quirks",
        help='JSON of quirks to start with and to reset to, as in {"profile": "slack", "seats": 20}; '
        f"profile is one of {', '.join(PROFILES)}",
    )
    arguments = parser.parse_args()
    quirks = None
    if arguments.quirks is not None:
        try:
            quirks = json.loads(arguments.quirks)
            read_quirks(quirks, PROFILES)
        except ValueError as error:
            parser.error(f"--quirks: {error}")
    # Waitress tells of its queue at busy moments, which says nothing about the app.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    stopping = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with running(
        data=arguments.data,
        token=arguments.token,
        quirks=quirks,
        title=arguments.title,
        host=arguments.host,
        port=arguments.port,
    ) as sandbox:
        print(json.dumps(asdict(sandbox)), flush=True)
        stopping.wait()


if __name__ == "__main__":
    main()
