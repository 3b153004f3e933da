"""`python -m goruntime`: the same as the command `goruntime`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
