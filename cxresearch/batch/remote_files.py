"""Whole files at a URL: put there, fetched, removed, listed, over any protocol that fsspec knows."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

from cxresearch.errors import InputError
from cxresearch.study.urls import Url

_STAMPS = (  # as protocols name them
    *("size", "ETag", "etag", "LastModified", "last_modified", "modified", "updated", "mtime", "modify"),
    *("last_write_time", "created"),
)

_EXACT = {"s3", "gs", "file", "memory"}  # can create a file only if there is none


def put(file: Url, content: bytes) -> None:
    """Write a file under a name aside and give it its own, so that nobody ever reads half of it.

    Raises
    ------
    InputError
        If that cannot be done.
    """
    aside = file.parent / f".{file.name}.{uuid4().hex}.part"

    def send(system: Any, final: str) -> None:
        there = f"{_folder(final)}/{aside.name}"
        _make_folder(system, _folder(final))
        try:
            system.pipe_file(there, content)
            _move(system, there, final)
        except BaseException:
            with suppress(Exception):
                system.rm_file(there)
            raise

    try:
        file.ask(send)
    except FileNotFoundError as error:  # a bucket, say
        raise InputError(f"{file} must lie where it can be written", "found no such place") from error


def create(file: Url, content: bytes) -> bool:
    """Write a file only if there is none; whether the protocol does that in one step, so that of two writers one is refused.

    Raises
    ------
    FileExistsError
        If there is one.
    InputError
        If that cannot be done.
    """

    def write(system: Any, path: str) -> bool:
        _make_folder(system, _folder(path))
        try:
            system.pipe_file(path, content, mode="create")
        except TypeError:  # it knows no such mode (webdav)
            if system.exists(path):
                raise FileExistsError(path) from None
            system.pipe_file(path, content)
        return not _EXACT.isdisjoint([system.protocol] if isinstance(system.protocol, str) else system.protocol)

    try:
        return file.ask(write)
    except FileNotFoundError as error:
        raise InputError(f"{file} must lie where it can be written", "found no such place") from error


def overwrite(file: Url, content: bytes) -> bool:
    """Write a small file in its place, which is never without one; never refused, as `create` may be."""
    file.ask(lambda system, path: system.pipe_file(path, content))
    return False


def fetch(file: Url, size: int = -1) -> bytes:
    """The content of a file as it is there now, or no more than its first bytes.

    Raises
    ------
    FileNotFoundError
        If there is none.
    InputError
        If it cannot be reached.
    """

    def read(system: Any, path: str) -> bytes:
        system.invalidate_cache()
        with system.open(path, "rb") as stream:
            return bytes(stream.read(size))

    return file.read_bytes() if size < 0 else file.ask(read)


def remove(file: Url) -> None:
    """Remove a file; nothing happens where there is none."""
    with suppress(FileNotFoundError):
        file.ask(lambda system, path: system.rm_file(path))


def stamps(folder: Url) -> dict[str, str]:
    """The files below a folder, by their paths in it -> what changes when they do; {} where there is no such folder."""
    found: dict[str, str] = {}
    for name, info in entries(folder).items():
        if info["type"] == "directory":
            found |= {f"{name}/{below}": stamp for below, stamp in stamps(folder / name).items()}
        else:
            found[name] = " ".join(str(info[key]) for key in _STAMPS if key in info)
    return found


def entries(folder: Url) -> dict[str, Mapping[str, Any]]:
    """What lies in a folder, by name -> what its file system tells of it; {} where there is no such folder.

    Unlike fsspec's `find`, which leaves out what it cannot list, this raises.

    Raises
    ------
    InputError
        If it cannot be listed.
    """

    def look(system: Any, path: str) -> list[Mapping[str, Any]]:
        system.invalidate_cache()
        return [info for info in system.ls(path, detail=True) if info["name"].strip("/") != path.strip("/")]

    with suppress(FileNotFoundError, NotADirectoryError):
        return {info["name"].rstrip("/").rpartition("/")[2]: info for info in folder.ask(look)}
    return {}


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _make_folder(system: Any, path: str) -> None:
    try:
        system.makedirs(path, exist_ok=True)
    except Exception:
        if not system.isdir(path):  # another run has made it in this moment
            raise


def _move(system: Any, aside: str, final: str) -> None:
    try:
        system.mv(aside, final)
    except Exception:
        if not system.exists(final):
            raise
        system.rm_file(final)  # smb and webdav move nothing over a file
        system.mv(aside, final)
