"""Asking the file systems of fsspec: over a new connection where the old one is gone, and what goes wrong in words."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ftplib import error_proto, error_reply, error_temp
from typing import Any, TypeVar

from cxresearch.errors import InputError

Answer = TypeVar("Answer")
_ANSWERS = (
    ImportError,
    NotImplementedError,
    TypeError,
    ValueError,
    FileNotFoundError,
    FileExistsError,
    PermissionError,
)
_LOST = (EOFError, ConnectionError, TimeoutError, error_temp, error_reply, error_proto)
_NUMBERS = (errno.ENOENT, errno.EEXIST, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ENOSPC)


def target(address: str, shown: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises
    ------
    InputError
        If a link of the chain is not there.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address)
    except FileNotFoundError as error:  # an archive, say
        raise InputError(f"{shown} must be within reach", f"found no such file: {error.filename or shown}") from error
    return system, path


def ask(address: str, shown: str, do: Callable[[Any, str], Answer]) -> Answer:
    """What a file system says, given itself and the path in it.

    Where that was no answer (servers end connections that were idle for some time) it is asked once more, over a new connection;
    file systems that speak to several servers at once (s3, gs, https) do so by themselves.
    """
    system, path = target(address, shown)
    try:
        return do(system, path)
    except Exception as error:
        if _is_answer(error) or system.async_impl:
            raise
    _disconnect(address)
    return do(*target(address, shown))


@contextmanager
def told(address: str, shown: str) -> Iterator[None]:
    """Tell in words what goes wrong.

    Parameters
    ----------
    shown : the address without its secrets

    Raises
    ------
    InputError
        If there is no such protocol, the package that speaks it is missing, or the place cannot be reached.
    FileNotFoundError, FileExistsError
        If the file is not there, or is there.
    """
    try:
        yield
    except ImportError as error:
        raise InputError(f"{shown} needs a package that is not installed", str(error), "Install it.") from error
    except (InputError, FileExistsError):
        raise
    except Exception as error:
        number = getattr(error, "errno", None)  # that of smb has one, and is no FileNotFoundError
        if _is_answer(error) and (isinstance(error, FileNotFoundError) or number == errno.ENOENT):
            raise FileNotFoundError(errno.ENOENT, "no such file", shown) from None
        if number == errno.EEXIST:
            raise FileExistsError(errno.EEXIST, "file exists", shown) from error
        if "Protocol not known" in str(error):
            raise InputError(f"{shown} must begin with a protocol that fsspec knows", str(error)) from error
        said = " ".join(str(error).split()).replace(address, shown)
        raise InputError(
            f"{shown} must be within reach", f"found {type(error).__name__}: {said}".rstrip(": ")
        ) from error


def _is_answer(error: BaseException) -> bool:
    """Whether a file system has said no, as against not having been reached: some take a broken line for a file that is not there."""
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, _LOST):
        return False
    return isinstance(error, _ANSWERS) or getattr(error, "errno", None) in _NUMBERS


def _disconnect(address: str) -> None:
    """Forget the connections that fsspec keeps for each link of the chain."""
    from fsspec import get_filesystem_class

    for link in address.split("::"):
        get_filesystem_class(link.partition("://")[0]).clear_instance_cache()
