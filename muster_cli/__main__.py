"""`python -m muster_cli`, where the script `muster` is not installed."""

from muster_cli.app import main

if __name__ == "__main__":
    main()
