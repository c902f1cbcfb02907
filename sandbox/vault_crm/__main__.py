"""Runs the sandbox until it is told to stop.

    python -m sandbox.vault_crm --port 0 --data vault.sqlite --username integration@acme.example --password X

Once it listens it prints one line of JSON: url, username, password, vault_id.
"""

import argparse
import json
import logging
import signal
from dataclasses import asdict
from threading import Event

from sandbox.vault_crm.app import running
from sandbox.vault_crm.standard_objects import KINDS


def main() -> None:
    """Run the sandbox until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.vault_crm", description="A local vault.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="IP address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--data", default=":memory:", help="SQLite file to keep the data in (default: memory)"
    )
    parser.add_argument("--username", help="of the integration user (default: made up)")
    parser.add_argument("--password", help="of the integration user (default: made up)")
    parser.add_argument("--vault", choices=KINDS, help="the kind of vault (default: crm)")
    arguments = parser.parse_args()
    # Waitress tells of its queue at busy moments, which says nothing about the vault.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    stopping = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with running(
        data=arguments.data,
        username=arguments.username,
        password=arguments.password,
        vault=arguments.vault,
        host=arguments.host,
        port=arguments.port,
    ) as sandbox:
        print(json.dumps(asdict(sandbox)), flush=True)
        stopping.wait()


if __name__ == "__main__":
    main()
