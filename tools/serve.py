"""Serve the built book on this machine only, compressed: `python -m tools.serve [PORT]`, called by `make serve`."""

import argparse
import gzip
import sys
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

BOOK = Path("_build", "html")
COMPRESSED = {".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".xml"}  # pictures and fonts are already small


class Handler(SimpleHTTPRequestHandler):
    """Files below a folder, as gzip where the browser takes it and the kind of file gains by it."""

    def send_head(self):
        """Called for every GET and HEAD; returns the open file to send, after its headers."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() and self.path.endswith("/") else path
        takes_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (takes_gzip and path.is_file() and path.suffix in COMPRESSED):
            return super().send_head()
        body = compressed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")  # a reader who rebuilt the book sees the new one
        super().end_headers()

    def log_message(self, format, *args):
        """Say nothing about each request."""


@lru_cache(maxsize=256)
def compressed(path, modified):
    """The file's bytes as gzip, made once for each time that it was modified."""
    return gzip.compress(path.read_bytes(), compresslevel=6)


def server(folder, port):
    """A server of `folder` at 127.0.0.1:`port` (0: any free one), not yet running; OSError where the port is taken."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=folder))


def main():
    parser = argparse.ArgumentParser(description="Serve the built book at 127.0.0.1.")
    parser.add_argument("port", type=int, nargs="?", default=8000)
    port = parser.parse_args().port
    if not (BOOK / "index.html").is_file():
        sys.exit(f"serve: no book in {BOOK}: run `make book` first")
    try:
        running = server(BOOK, port)
    except OSError as error:
        sys.exit(f"serve: port {port}: {error.strerror}: name another one with make serve PORT={port + 1}")
    print(f"The book is at http://127.0.0.1:{running.server_port}/ (Ctrl-C stops it)", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
