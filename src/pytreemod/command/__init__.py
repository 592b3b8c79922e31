"""The command line: ``python -m pytreemod run`` runs a PyTorch script, ``check`` says what it uses that is not here."""
