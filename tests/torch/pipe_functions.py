"""Functions that the pipes of test_datapipes.py import by name, in workers too."""


def double(x):
    return 2 * x


def add(x, y):
    return x + y


def even(x):
    return x % 2 == 0


def odd(x):
    return x % 2


def third(x):
    return x % 3


def some(x):
    return None if x == 4 else x % 2


def inverse(x):
    return 1 / x


def named(x, *, y):
    return x + y
