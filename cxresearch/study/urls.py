"""Files that are named by a URL: as much of the face of a Path as reading a study needs, over any protocol that fsspec knows."""

import hashlib
import posixpath
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from cxresearch.errors import InputError
from cxresearch.study.reach import Answer, ask, target, told

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*::)*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_SECRETS = re.compile(r"(?<=://)[^/?]*@|\?(?:(?!::).)*")  # user:password@ and the query, which may hold a token
_CHUNK = 1 << 20  # bytes
_read: dict[str, str] = {}  # address -> SHA-256 of the content that this process has read last


@dataclass(frozen=True, slots=True, repr=False)
class Url:
    """A file or folder elsewhere.

    Attributes
    ----------
    address : as s3://bucket/survey.csv; several in a chain as zip://survey.csv::https://host/archive.zip
    """

    address: str

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"

    def __str__(self) -> str:
        """The address without user, password and query, which may be secret."""
        return _SECRETS.sub("", self.address)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return posixpath.basename(self._path.rstrip("/"))

    @property
    def suffixes(self) -> list[str]:
        """The endings of its name."""
        return PurePosixPath(self.name).suffixes

    @property
    def suffix(self) -> str:
        """The last ending of its name."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "Url":
        """The folder that it lies in."""
        return self._with(posixpath.dirname(self._path.rstrip("/")))

    def __truediv__(self, entry: str) -> "Url":
        """A path that starts here; `..` leads up."""
        return self._with(posixpath.normpath(posixpath.join(self._path, entry)))

    def relative_to(self, folder: "Url") -> str:
        """The path from a folder to it; the address where they lie in different places."""
        (start, path, rest), (its_start, its_path, its_rest) = self._links(), folder._links()
        is_near = (start, rest) == (its_start, its_rest) and (rest or _host(path) == _host(its_path))
        return posixpath.relpath(path, its_path) if is_near else str(self)

    def is_file(self) -> bool:
        """Whether it is there and no folder."""
        return self._kind() == "file"

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._kind() == "directory"

    def exists(self) -> bool:
        """Whether it is there."""
        return bool(self._kind())

    def _kind(self) -> str:
        """What it is, "" if it is not there; fsspec's own questions take any error for a no."""
        try:
            return str(self.ask(lambda system, path: _fresh(system).info(path)["type"]))
        except FileNotFoundError:
            return ""

    def glob(self, pattern: str = "") -> list["Url"]:
        """What a pattern finds here; without one, the address itself is the pattern."""
        if pattern:
            return (self / pattern).glob()
        try:
            path, found = self.ask(_glob)
        except FileNotFoundError:  # the folder that it starts from
            return []
        host = self._path[: -len(path)] if self._path.endswith(path) else ""  # of a protocol whose paths leave it out
        return [Url(each) if is_url(each) else self._with(host + each) for each in found]

    def rglob(self, pattern: str) -> list["Url"]:
        """What a pattern finds here and in all folders below."""
        return (self / "**" / pattern).glob()

    @contextmanager
    def open(self, mode: str = "rb") -> Iterator[IO[bytes]]:
        """Read it bit by bit."""
        with self.reached() as (system, path), system.open(path, mode) as stream:
            yield stream

    def system(self) -> Any:
        """The file system of fsspec that reaches it."""
        with self.reached() as (system, _):
            return system

    def read_bytes(self) -> bytes:
        """The whole content."""
        content: bytes = self.ask(lambda system, path: _fresh(system).cat_file(path))
        _read[self.address] = hashlib.sha256(content).hexdigest()
        return content

    def read_text(self, encoding: str) -> str:
        """The whole content as text."""
        return self.read_bytes().decode(encoding)

    def sha256(self) -> str:
        """Hash of what was read of it last; where nothing was, it is read."""
        if self.address not in _read:
            _read[self.address] = self.ask(_hash_there)
        return _read[self.address]

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A copy for readers that need a file of this machine; it lasts as long as the context."""
        with TemporaryDirectory(prefix="cxresearch-") as folder:
            local = Path(folder) / self.name
            self.ask(partial(_copy, local))
            with local.open("rb") as copy:
                _read[self.address] = _hash(copy)
            yield local

    @property
    def _path(self) -> str:
        return self._links()[1]

    def _with(self, path: str) -> "Url":
        """The same place with another path, and no query, which belongs to one file."""
        start, _, rest = self._links()
        return Url(f"{start}{path}{rest}")

    def _links(self) -> tuple[str, str, str]:
        """What stands before the first path (s3://), the path without query, and what follows (::https://host/archive.zip)."""
        start, mark, after = self.address.partition("://")
        path, chain, rest = after.partition("::")
        if start.lower().startswith("http"):  # elsewhere a ? may be meant as in a pattern
            path = path.partition("?")[0]
        return start + mark, path, chain + rest

    def ask(self, do: Callable[[Any, str], Answer]) -> Answer:
        """What the file system says, given itself and the path in it; asked once more where it could not be reached.

        Raises as `reach.told` says.
        """
        with told(self.address, str(self)):
            return ask(self.address, str(self), do)

    @contextmanager
    def reached(self) -> Iterator[tuple[Any, str]]:
        """The file system and the path in it, for what cannot be asked twice; raises as `ask`."""
        with told(self.address, str(self)):
            yield target(self.address, str(self))


def _host(path: str) -> str:
    """Server or bucket, with user and password."""
    return path.partition("/")[0]


def _fresh(system: Any) -> Any:
    """A file system that lists anew what it has listed before."""
    system.invalidate_cache()
    return system


def _glob(system: Any, path: str) -> tuple[str, list[str]]:
    """The path, and what it finds; a folder that cannot be listed is a fault where fsspec lets us say so, never an empty one."""
    from fsspec.spec import AbstractFileSystem

    kind = type(system)
    is_plain = kind.find is AbstractFileSystem.find and kind.glob is AbstractFileSystem.glob
    return path, sorted(_fresh(system).glob(path, **({"on_error": "raise"} if is_plain else {})))


def _copy(local: Path, system: Any, path: str) -> None:
    with system.open(path, "rb") as stream, local.open("wb") as copy:
        shutil.copyfileobj(stream, copy, _CHUNK)


def _hash_there(system: Any, path: str) -> str:
    with system.open(path, "rb") as stream:
        return _hash(stream)


def _hash(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


Place = Path | Url


def place(text: str | Path) -> Place:
    """A path of this machine or a URL, as it is written.

    >>> str(place("data/survey.csv")), place("s3://bucket/survey.csv").suffix, str(place("https://me:word@host/a.csv?key=1"))
    ('data/survey.csv', '.csv', 'https://host/a.csv')
    """
    return Url(str(text)) if is_url(str(text)) else Path(text)


def near(place: Place) -> Place:
    """A path in place of a URL that names a file of this machine; anything else as it is.

    >>> [str(near(place(text))) for text in ("out", "file:///srv/out", "s3://bucket/out", "zip://a::file:///b.zip")]
    ['out', '/srv/out', 's3://bucket/out', 'zip://a::file:///b.zip']
    """
    if isinstance(place, Path):
        return place
    start, path, rest = place._links()
    is_here = start.lower() in ("file://", "local://") and path.startswith("/") and not rest
    return Path(path) if is_here else place


def is_url(text: str) -> bool:
    """Whether a text is a URL, one link or a chain.

    >>> [is_url(text) for text in ("s3://bucket/a.csv", "zip://a.csv::s3://bucket/b.zip", "a.csv", "a.duckdb::table", "C:/a.csv")]
    [True, True, False, False, False]
    """
    return _URL.match(text) is not None


def without_secrets(value: Any) -> Any:
    """A value as it may be shown: a URL without user, password and query."""
    return str(Url(value)) if isinstance(value, str) and is_url(value) else value


def find_studies(files: Iterable[Place]) -> list[Place]:
    """Study files as the command line names them; a URL may be a pattern.

    Raises
    ------
    InputError
        If a pattern finds none, or its place cannot be reached.
    """
    found: list[Place] = []
    for file in files:
        if isinstance(file, Path) or not any(mark in file.name for mark in "*?["):
            found.append(file)
            continue
        several = file.glob()
        if not several:
            raise InputError("the pattern of the study files must find some", f"none fit {file}")
        found += several
    return found


def locate(folder: Place, entry: str) -> Place:
    """What an entry of a study file means that lies in a folder: a URL, an absolute path, or one that starts there.

    >>> str(locate(Url("s3://bucket/params"), "../data/survey.csv")), str(locate(Url("s3://bucket/params"), "/data/a.csv"))
    ('s3://bucket/data/survey.csv', '/data/a.csv')
    """
    if is_url(entry):
        return Url(entry)
    if isinstance(folder, Url) and not Path(entry).is_absolute():
        return folder / entry
    return Path(entry) if isinstance(folder, Url) else folder / entry
