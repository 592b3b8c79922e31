"""Which command is meant, and its help."""

from __future__ import annotations

import sys
from importlib import import_module

USAGE = """\
usage: python -m pytreemod run script.py [arguments of the script]
       python -m pytreemod run -m module [arguments of the module]
       python -m pytreemod check script_or_folder [...]

run    runs an unmodified PyTorch script: in this process, and in the workers it starts, `import torch` means
       pytreemod.torch. Arguments, tracebacks and exit status are the script's.
check  reads Python files without running them, and lists the names of PyTorch they use that pytreemod does not
       have, with line and alternative. Exit status 0 if all are there, 1 if not, 2 if a file cannot be read.
"""


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    command, rest = sys.argv[1:2], sys.argv[2:]
    if command == ["run"] and rest and rest != ["-m"] and rest[0] not in ("-h", "--help"):
        running = import_module("pytreemod.command.run")
        if rest[0] == "-m":
            running.run_module(rest[1], rest[2:])
        else:
            running.run_script(rest[0], rest[1:])
    elif command == ["check"] and rest and rest[0] not in ("-h", "--help"):
        sys.exit(import_module("pytreemod.command.check").main(rest))
    else:
        asked = bool({"-h", "--help"} & {*command, *rest[:1]})
        print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
