"""``python -m pytreemod run script.py``, ``python -m pytreemod check script.py``."""

from pytreemod.command.main import main

if __name__ == "__main__":
    main()
