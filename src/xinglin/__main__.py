"""`python -m xinglin` is the command `xinglin`."""

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it without a word, also while its parts are still being read, which takes a moment."""
    try:
        from xinglin.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
