"""``python -m flows.guard COMMAND ...``: run a command that dies when its parent dies."""

import os
import sys

from flows.locks import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
