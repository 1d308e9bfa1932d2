"""The one family of errors that users see.

A message says what was expected, what was found, where, and what to do next. Only the
command line turns an error into an exit status. This is the one module that every part of
the house may import.
"""


class BenchError(Exception):
    """A mistake or an obstacle that the user can do something about."""


class InputError(BenchError):
    """A photo, mask or file that cannot be used."""


class ContractError(BenchError):
    """A method that broke the contract of ``methods.base``."""


class Declined(BenchError):
    """A method that refuses a case, with the reason."""


class WeightsMissing(BenchError):
    """A network whose weights are not here, with the command that fixes it."""


class StoreError(BenchError):
    """A run folder that cannot be read or written; no case's fault, so the run stops."""
