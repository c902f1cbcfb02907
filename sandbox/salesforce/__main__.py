"""Runs the sandbox until it is told to stop.

    python -m sandbox.salesforce --port 0 --data salesforce.sqlite --client-id X --client-secret Y

Once it listens it prints one line of JSON: url, organization_id, client_id, client_secret.
"""

import argparse
import json
import logging
import signal
from dataclasses import asdict
from threading import Event

from sandbox.salesforce.app import running
from sandbox.salesforce.delivery import DeliverySettings
from sandbox.salesforce.organization import TOKEN_LIFE_S


def main() -> None:
    """Run the sandbox until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.salesforce", description="A local Salesforce organization."
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="IP address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--data", default=":memory:", help="SQLite file to keep the data in (default: memory)"
    )
    parser.add_argument("--client-id", help="consumer key of the client app (default: made up)")
    parser.add_argument("--client-secret", help="consumer secret of the client app (default: made up)")
    parser.add_argument("--organization-id", help="00D… (default: made up)")
    parser.add_argument(
        "--token-life-s", type=float, default=TOKEN_LIFE_S, help="seconds that a session lasts"
    )
    parser.add_argument(
        "--delivery",
        default="{}",
        help='JSON of delivery settings to start with and to reset to, as in {"first_retry_s": 1}',
    )
    arguments = parser.parse_args()
    try:
        delivery = DeliverySettings().changed(json.loads(arguments.delivery))
    except ValueError as error:
        parser.error(f"--delivery: {error}")
    # Waitress tells of its queue at busy moments, which says nothing about the organization.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    stopping = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with running(
        data=arguments.data,
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
        organization_id=arguments.organization_id,
        host=arguments.host,
        port=arguments.port,
        token_life_s=arguments.token_life_s,
        delivery=delivery,
    ) as sandbox:
        print(json.dumps(asdict(sandbox)), flush=True)
        stopping.wait()


if __name__ == "__main__":
    main()
