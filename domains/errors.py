"""The exception family: every error that is the user's to mend, each a single line.

A message says what was expected, what was found, the remedy, and the file or key.
"""


class ConvoyError(Exception):
    """Anything the command line reports in one line; programming errors are not of this family."""


class ParameterError(ConvoyError):
    """``params.yaml`` or an override is wrong: names the key, what it takes, the nearest name."""


class DataError(ConvoyError):
    """A file of the user's, or a downloaded one, is not what the domain can use."""


class BusyError(ConvoyError):
    """Another process holds what this one needs: names its process id."""


class StepError(ConvoyError):
    """A pipeline step failed: carries the last line the step printed."""


class RecordError(ConvoyError):
    """The MLflow store cannot be reached: names its address."""


class StorageError(ConvoyError):
    """The disk is full or not writable: says where and how much is needed."""
