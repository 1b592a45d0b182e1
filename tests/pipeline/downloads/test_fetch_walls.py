"""What must never be read or written, however the sources file or a server asks for it."""

import asyncio
import contextlib
import gzip
import json
import socket
import threading

import pytest

from pipeline.downloads.manifest import read_entries
from pipeline.downloads.public_addresses import ForbiddenAddressError, GuardedBackend, is_public
from pipeline.errors import InputError
from pipeline.fetch import run
from tests.pipeline.fetching import fetch_params
from tests.pipeline.loopback import serve

COMMON = "category: book, licence: CC0-1.0"


@pytest.fixture
def web():
    with serve() as server:
        yield server


def refusal(folder, url, **params):
    """Fetch one URL that must be refused, beside a file that is there, and return the reason."""
    (folder / "a.txt").write_text("a")
    sources = folder / "sources.yaml"
    sources.write_text(f"- {{url: {json.dumps(url)}, {COMMON}}}\n- {{path: a.txt, {COMMON}}}")
    run(fetch_params(**params), sources=sources, out=folder / "out")
    refused, kept = read_entries(folder / "out")
    assert (refused.file, kept.error) == ("", "")
    assert [path.name for path in (folder / "out" / "files").iterdir()] == [kept.file.removeprefix("files/")]
    assert not (folder / "sources.yaml.lock").exists()
    return refused.error.removeprefix("fetch: ")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::808:808"])
def test_addresses_that_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_asked_however_it_is_called(tmp_path, web, host):
    web.route("/secret", b"secret")

    reason = refusal(tmp_path, f"http://{host}:{web.url.rsplit(':')[-1]}/secret", allow_private=[])

    assert reason.startswith(("forbidden address: ", "no connection: "))
    assert web.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://[::ffff:a9fe:a9fe]/",
        "http://10.0.0.1/",
    ],
)
def test_a_redirect_to_an_address_that_is_not_public_is_refused(tmp_path, web, target):
    web.route("/go", status=302, Location=target.format(port=web.url.rsplit(":")[-1]))
    web.route("/secret", b"secret")

    assert refusal(tmp_path, f"{web.url}/go").startswith("forbidden address: ")
    assert web.paths() == ["/go"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/x", "gopher://example.org/", "data:,x"])
def test_a_redirect_out_of_the_web_is_refused(tmp_path, web, target):
    web.route("/go", status=301, Location=target)

    assert refusal(tmp_path, f"{web.url}/go").startswith(f"redirects: to {target.split(':')[0]}:")


def test_redirects_in_a_circle_end(tmp_path, web):
    web.route("/a", status=302, Location="/b")
    web.route("/b", status=302, Location="/a")

    assert refusal(tmp_path, f"{web.url}/a") == "redirects: more than 5"
    assert len(web.paths()) == 6


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "http:///nowhere", "//example.org/x"])
def test_a_source_that_is_not_of_the_web_is_refused(tmp_path, url):
    with pytest.raises(InputError, match="expected http or https"):
        refusal(tmp_path, url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://x/y", "local://x", "simplecache::s3://b/k", "b/k"])
def test_a_store_that_is_the_web_or_this_machine_is_refused(tmp_path, url):
    sources = tmp_path / "sources.yaml"
    sources.write_text(f"- {{remote: {json.dumps(url)}, {COMMON}}}")
    with pytest.raises(InputError, match=r"key 'remote'.*expected a store"):
        run(fetch_params(), sources=sources, out=tmp_path / "out")


def test_the_address_that_was_checked_is_the_one_connected_to():
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    connected = []

    async def changing(host, port):
        return answers.pop(0)

    class Network:
        async def connect_tcp(self, address, *rest):
            connected.append(address)

    backend = GuardedBackend([], changing)
    backend._network = Network()

    asyncio.run(backend.connect_tcp("rebind.example", 80))
    with pytest.raises(ForbiddenAddressError, match=r"rebind\.example resolves to 127\.0\.0\.1, which is not public"):
        asyncio.run(backend.connect_tcp("rebind.example", 80))

    assert connected == ["93.184.216.34"]


def test_a_name_with_a_public_and_a_private_address_is_refused():
    async def both(host, port):
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(ForbiddenAddressError, match=r"10\.0\.0\.1"):
        asyncio.run(GuardedBackend([], both).connect_tcp("two.example", 80))


def test_a_socket_of_this_machine_is_refused():
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(GuardedBackend([]).connect_unix_socket("/run/docker.sock"))


def endless(asked):
    asked.handler.send_response(200)
    asked.handler.end_headers()
    asked.handler.close_connection = True
    while True:
        asked.handler.wfile.write(b"x" * 65_536)


def drip(asked):
    asked.handler.send_response(200)
    asked.handler.send_header("Content-Length", "1000")
    asked.handler.end_headers()
    while True:
        asked.handler.wfile.write(b"x")
        asked.handler.wfile.flush()
        if threading.Event().wait(0.05):
            break


def silent(asked):
    threading.Event().wait(1.5)
    asked.handler.close_connection = True


def test_an_endless_body_is_cut(tmp_path, web):
    web.routes["/endless"] = endless

    assert refusal(tmp_path, f"{web.url}/endless", max_bytes=200_000) == "too large: more than 200000 bytes"


def test_a_body_that_drips_is_cut(tmp_path, web):
    web.routes["/drip"] = drip

    assert refusal(tmp_path, f"{web.url}/drip", timeout_seconds=0.5) == "slow: more than 0.5 seconds"


def test_a_server_that_says_nothing_is_left(tmp_path, web):
    web.routes["/silent"] = silent

    assert refusal(tmp_path, f"{web.url}/silent", answer_seconds=0.3).startswith("timed out: 127.0.0.1:")


@pytest.mark.parametrize(
    ("said", "reason"), [("100", "broken off: "), ("many", "broken off: "), ("-1", "broken off: ")]
)
def test_a_body_shorter_than_its_length_or_of_no_length_is_refused(tmp_path, web, said, reason):
    web.route("/short", b"short", Content_Length=said)

    assert refusal(tmp_path, f"{web.url}/short").startswith("broken off: ")


def test_a_length_beyond_the_limit_is_refused_before_the_body_comes(tmp_path, web):
    web.route("/long", b"", Content_Length="9999999999")

    assert refusal(tmp_path, f"{web.url}/long") == "too large: 9999999999 bytes, at most 5000000 are expected"


def test_a_gzip_bomb_is_cut_while_it_inflates(tmp_path, web):
    bomb = gzip.compress(b"\0" * 100_000_000)
    assert len(bomb) < 150_000
    web.route("/bomb", bomb, Content_Encoding="gzip")

    assert refusal(tmp_path, f"{web.url}/bomb", max_bytes=1_000_000) == "too large: more than 1000000 bytes"


@pytest.mark.parametrize(("encoding", "body"), [("br", b"x"), ("gzip", b"no gzip"), ("zstd", b"x")])
def test_an_encoding_that_is_unknown_or_broken_is_refused(tmp_path, web, encoding, body):
    web.route("/odd", body, Content_Encoding=encoding)

    assert refusal(tmp_path, f"{web.url}/odd").startswith("content encoding: ")


def test_a_gzip_stream_that_ends_early_is_refused(tmp_path, web):
    web.route("/cut", gzip.compress(b"words " * 1_000)[:-20], Content_Encoding="gzip")

    assert refusal(tmp_path, f"{web.url}/cut") == "broken off: within gzip"


def test_a_page_in_place_of_a_pdf_is_refused_by_its_type_or_by_its_bytes(tmp_path, web):
    web.route("/a.pdf", b"<html>please log in</html>", Content_Type="text/html; charset=utf-8")
    assert refusal(tmp_path, f"{web.url}/a.pdf") == "content type: text/html, expected application/pdf"

    web.route("/a.pdf", b"<html>" + b" " * 2_000, Content_Type="application/octet-stream")
    assert refusal(tmp_path, f"{web.url}/a.pdf") == "content type: no PDF by its first bytes"


def test_an_empty_body_is_refused(tmp_path, web):
    web.route("/empty")

    assert refusal(tmp_path, f"{web.url}/empty") == "empty: the body has no bytes"


def test_headers_without_end_are_refused(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))

    def flood():
        for _ in range(2):  # robots.txt, and the document
            connection, _ = listener.accept()
            connection.recv(1000)
            with contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"y" * 500_000)
            connection.close()

    threading.Thread(target=flood, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    assert refusal(tmp_path, url).startswith("broken off: ")
    listener.close()
