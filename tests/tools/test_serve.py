"""The book as the local server sends it."""

import gzip
import threading
import urllib.error
import urllib.request

import pytest

from tools.serve import server

PAGE = b"<title>A book</title>" * 100


@pytest.fixture
def address(tmp_path):
    """The address of a running server of one page and one picture."""
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    running = server(tmp_path, port=0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def get(url, encoding="gzip"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": encoding})) as reply:
        return reply.headers, reply.read()


def test_a_page_is_sent_compressed(address):
    headers, body = get(f"{address}/")
    assert headers["Content-Encoding"] == "gzip" and headers["Content-Type"].startswith("text/html")
    assert gzip.decompress(body) == PAGE and len(body) < len(PAGE) / 10


def test_a_browser_that_takes_no_gzip_gets_the_page_as_it_is(address):
    headers, body = get(f"{address}/index.html", encoding="identity")
    assert headers["Content-Encoding"] is None and body == PAGE


def test_a_picture_is_not_compressed_again(address):
    headers, body = get(f"{address}/picture.png")
    assert headers["Content-Encoding"] is None and body == b"\x89PNG"


@pytest.mark.parametrize("path", ["nowhere.html", "..%2f..%2fetc/passwd"])
def test_what_is_not_in_the_folder_is_not_sent(address, path):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}/{path}")


def test_a_port_that_is_taken_is_refused(address, tmp_path):
    with pytest.raises(OSError, match="in use"):
        server(tmp_path, port=int(address.rpartition(":")[2]))
