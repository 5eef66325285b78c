"""A small FTP server (RFC 959, 2428, 3659) over a folder, of what Python brings: a real protocol over real sockets for the tests."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

USER, PASSWORD = "me", "opensesame"


class Server(socketserver.ThreadingTCPServer):
    """Serves a folder at `ftp://me:opensesame@127.0.0.1:port`.

    Attributes
    ----------
    idle : seconds after which a quiet connection is ended, as servers do
    logins : how many there were
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self, root: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), Session)
        self.root, self.idle, self.logins = root, 60.0, 0
        self.sessions: set[Session] = set()

    @property
    def url(self) -> str:
        return f"ftp://{USER}:{PASSWORD}@127.0.0.1:{self.server_address[1]}"

    def die(self) -> None:
        """Be gone from one moment to the next, with every connection."""
        self.shutdown()
        self.server_close()
        for session in list(self.sessions):
            with suppress(OSError):
                session.connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """A line that is cut is no news."""


class Session(socketserver.StreamRequestHandler):
    server: Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.server.sessions.add(self)
        self.connection.settimeout(self.server.idle)
        self.passive: socket.socket | None = None
        self.known, self.start, self.renamed = False, 0, Path()
        self.say("220 ready")
        with suppress(OSError):
            try:
                while line := self.rfile.readline():
                    self.answer(line.decode().rstrip("\r\n"))
            except TimeoutError:
                self.say("421 idle for too long")
        self.close_passive()
        self.server.sessions.discard(self)

    def close_passive(self) -> None:
        if self.passive is not None:
            self.passive.close()

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def answer(self, line: str) -> None:
        verb, _, word = line.partition(" ")
        act = getattr(self, f"do_{verb.lower()}", None)
        if act is None:
            return self.say("502 not implemented")
        if not self.known and verb.lower() not in ("user", "pass"):
            return self.say("530 log in first")
        try:
            return act(word)
        except (FileNotFoundError, NotADirectoryError):
            return self.say("550 no such file")
        except OSError as error:
            return self.say(f"550 {error.strerror}")

    def path(self, word: str) -> Path:
        return self.server.root / word.lstrip("/")

    def do_user(self, word: str) -> None:
        self.user = word
        self.say("331 password")

    def do_pass(self, word: str) -> None:
        self.known = (self.user, word) == (USER, PASSWORD)
        self.server.logins += self.known
        self.say("230 in" if self.known else "530 wrong")

    def do_type(self, word: str) -> None:
        self.say("200 ok")

    def do_rest(self, word: str) -> None:
        self.start = int(word)
        self.say("350 ok")

    def do_pasv(self, word: str) -> None:
        self.close_passive()
        self.passive = socket.create_server(("127.0.0.1", 0))
        high, low = divmod(self.passive.getsockname()[1], 256)
        self.say(f"227 (127,0,0,1,{high},{low})")

    @contextmanager
    def channel(self) -> Iterator[socket.socket]:
        assert self.passive
        self.say("150 here")
        with self.passive, self.passive.accept()[0] as stream:
            yield stream
        self.say("226 done")

    def do_mlsd(self, word: str) -> None:
        entries = sorted(self.path(word).iterdir())
        with self.channel() as stream:
            for entry in entries:
                with suppress(FileNotFoundError):  # moved meanwhile
                    status = entry.stat()
                    kind, when = "dir" if entry.is_dir() else "file", time.gmtime(status.st_mtime)
                    modify = time.strftime("%Y%m%d%H%M%S", when) + f".{status.st_mtime_ns % 10**9:09d}"
                    stream.sendall(f"type={kind};size={status.st_size};modify={modify}; {entry.name}\r\n".encode())

    def do_retr(self, word: str) -> None:
        content, self.start = self.path(word).read_bytes()[self.start :], 0
        with self.channel() as stream:
            stream.sendall(content)

    def do_stor(self, word: str) -> None:
        with self.path(word).open("r+b" if self.start else "wb") as file, self.channel() as stream:
            file.seek(self.start)
            self.start = 0
            while chunk := stream.recv(1 << 16):
                file.write(chunk)

    def do_dele(self, word: str) -> None:
        self.path(word).unlink()
        self.say("250 done")

    def do_mkd(self, word: str) -> None:
        self.path(word).mkdir()
        self.say("257 made")

    def do_rnfr(self, word: str) -> None:
        self.path(word).stat()
        self.renamed = self.path(word)
        self.say("350 to what")

    def do_rnto(self, word: str) -> None:
        self.renamed.replace(self.path(word))
        self.say("250 done")


@contextmanager
def served(root: Path, port: int = 0) -> Iterator[Server]:
    """A server in a thread of this process, at any port that is free or a given one."""
    server = Server(root, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    if thread.is_alive():
        server.die()
    thread.join()
