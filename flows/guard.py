"""``python -m flows.guard PARENT COMMAND ...``: run a command that dies with the process PARENT."""

import os
import sys

from flows.locks import die_with_parent

if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
