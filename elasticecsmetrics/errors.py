"""The tree of errors; nothing else is raised on purpose by this package.

::

    ElasticECSMetricsError
     ├── ConfigurationError        (also ValueError)   a parameter is wrong; the message names it and the remedy
     ├── MissingExtraError         (also ImportError)  an optional client library is not installed
     ├── StoreError
     │    ├── StoreUnreachableError                    no answer: refused, unresolved, timed out, TLS
     │    └── StoreRefusedError                        an answer, but not the one that was asked for
     └── SpoolError
          └── ForeignFileError                         a file that is not ours
    NaiveDatetimeError                                 kept for code written for ElasticECSMetrics; no longer raised

The emit path raises none of them: there a failure becomes an outcome, a counter and a diagnostic line.
"""

from __future__ import annotations


class ElasticECSMetricsError(Exception):
    """The base of every error of this package."""


class ConfigurationError(ElasticECSMetricsError, ValueError):
    """A parameter has a value that cannot work; the message names the parameter, the value and what to do."""


class MissingExtraError(ElasticECSMetricsError, ImportError):
    """An optional package is needed for what was asked; ``extra`` is the name to install."""

    def __init__(self, package: str, *, extra: str, needed_for: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{needed_for} needs the package {package!r}: pip install 'elasticecsmetrics[{extra}]'", name=package)


class StoreError(ElasticECSMetricsError):
    """A store could not do what was asked of it."""


class StoreUnreachableError(StoreError):
    """No answer came from the store: refused, not resolved, timed out, or no TLS session."""


class StoreRefusedError(StoreError):
    """The store answered, but refused; ``status`` is the HTTP status where there is one."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class SpoolError(ElasticECSMetricsError):
    """A file of the failure folder cannot be used."""


class ForeignFileError(SpoolError):
    """A file in the failure folder was not written by this package, nor by ElasticECSMetrics."""


class NaiveDatetimeError(Exception):
    """ElasticECSMetrics raised this for a start without a time zone; naive datetimes now count as local time.

    Kept so that ``except NaiveDatetimeError`` in existing programs still imports.
    """
