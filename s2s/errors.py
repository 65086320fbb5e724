"""What can go wrong, as one tree; each class knows the exit code that the command line gives it.

S2SError                    1   could not
├── UsageError              2   wrong use of a command or function
│   └── ConfigError         2   a config file or override that cannot be used
├── DataError               1   training or evaluation data that cannot be used
│   └── AudioError          1   a recording that cannot be used
├── ModelError              1   not a model directory, or a damaged one
├── TrainingError           1   training cannot go on
│   └── NonFiniteError      1   loss or gradient is not a finite number
├── FailedElsewhereError    1   another process of the same job failed, and tells why
└── Stopped           130/143   a signal asked to stop; everything was saved

Exit code 3 is no error: a command ended, but skipped some of its input, such as the end of a line that is too long.
"""

import signal


class S2SError(Exception):
    """Base of every error that s2s raises for its users; the text is one or more whole sentences."""

    exit_code = 1


class UsageError(S2SError):
    """A command or function was called in a way that cannot work."""

    exit_code = 2


class ConfigError(UsageError):
    """A config file or an override has unknown keys or impossible values."""


class DataError(S2SError):
    """Data that cannot be used; the text names file and line."""


class AudioError(DataError):
    """A recording that cannot be used; the text names the file, `problem` says in a word or two what is wrong."""

    def __init__(self, message: str, problem: str = "unreadable") -> None:
        super().__init__(message)
        self.problem = problem


class ModelError(S2SError):
    """A model directory that is none, is incomplete or was damaged."""


class TrainingError(S2SError):
    """Training cannot go on."""


class NonFiniteError(TrainingError):
    """Loss or gradient is not a finite number."""


class FailedElsewhereError(S2SError):
    """Another process of the same job failed; that one tells why, this one says nothing."""


class Stopped(S2SError):
    """SIGINT or SIGTERM was received; the state was saved first."""

    def __init__(self, message: str, received: signal.Signals) -> None:
        super().__init__(message)
        self.exit_code = 128 + received
