"""The two messages that every room may send to a user."""

from collections.abc import Iterable

from cxresearch.core.personal import mask


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message has three parts: what was expected, what was found, what to do. Personal data in what was found are masked.

    >>> raise InputError("`items` must be numeric", "found text in q3, q7 (2 of 8 columns)", "Map them or drop them.")
    Traceback (most recent call last):
    cxresearch.errors.InputError: `items` must be numeric; found text in q3, q7 (2 of 8 columns). Map them or drop them.
    """

    def __init__(self, expected: str, found: str = "", action: str = "") -> None:
        message = f"{expected}; {found}" if found else expected
        if action:
            message = f"{message.rstrip('.')}. {action}"
        super().__init__(mask(message))


class CxWarning(UserWarning):
    """The work goes on, but the user should know this."""


def name_some(names: Iterable[object], limit: int = 5) -> str:
    """List the first `limit` names and say how many more there are.

    >>> name_some("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    every = [str(name) for name in names]
    rest = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {rest} more" if rest > 0 else "")
