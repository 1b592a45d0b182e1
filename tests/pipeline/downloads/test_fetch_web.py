"""What the web may do to a fetch, and how a fetch goes on."""

import hashlib
import json
import random
import threading
import time
from contextlib import ExitStack

import pytest
import yaml

from pipeline.downloads.manifest import read_entries
from pipeline.errors import InputError
from pipeline.fetch import run
from tests.pipeline.fetching import fetch_params
from tests.pipeline.killing import kill_at, start, tree
from tests.pipeline.loopback import serve

COMMON = {"category": "book", "licence": "CC0-1.0"}


@pytest.fixture
def web():
    with serve() as server:
        yield server


def fetch(folder, urls, more=None, **params):
    sources = folder / "sources.yaml"
    sources.write_text(yaml.safe_dump([{"url": url, **COMMON, **(more or {})} for url in urls]))
    run(fetch_params(**params), sources=sources, out=folder / "out")
    return read_entries(folder / "out")


def lock(folder):
    return json.loads((folder / "sources.yaml.lock").read_text())


def test_what_a_url_held_at_first_is_locked_and_enforced_from_then_on(tmp_path, web):
    web.route("/a.txt", b"first", ETag='"1"', Last_Modified="Wed, 25 Nov 2026 01:00:00 GMT")
    web.route("/b.txt", b"other")
    fetch(tmp_path, [f"{web.url}/a.txt", f"{web.url}/b.txt"])
    assert lock(tmp_path)[f"{web.url}/a.txt"] == {
        "etag": '"1"',
        "last_modified": "Wed, 25 Nov 2026 01:00:00 GMT",
        "media_type": "",
        "sha256": hashlib.sha256(b"first").hexdigest(),
        "size": 5,
    }
    before = (tmp_path / "sources.yaml.lock").read_bytes()

    web.route("/a.txt", b"second")
    (tmp_path / "out").rename(tmp_path / "old")
    changed, same = fetch(tmp_path, [f"{web.url}/a.txt", f"{web.url}/b.txt"])

    assert changed.error.startswith(f"fetch: changed: sha256 {hashlib.sha256(b'second').hexdigest()}, the lock file")
    assert same.file
    assert (tmp_path / "sources.yaml.lock").read_bytes() == before


def test_what_is_here_and_locked_needs_no_source_to_be_online(tmp_path, web):
    web.route("/a.txt", b"first")
    before = fetch(tmp_path, [f"{web.url}/a.txt"])
    web.asked.clear()

    assert fetch(tmp_path, [f"{web.url}/a.txt"]) == before
    assert web.asked == []


def test_a_file_that_was_tampered_with_is_fetched_again(tmp_path, web):
    web.route("/a.txt", b"first")
    (entry,) = fetch(tmp_path, [f"{web.url}/a.txt"])
    (tmp_path / "out" / entry.file).write_bytes(b"fIrst")

    fetch(tmp_path, [f"{web.url}/a.txt"])

    assert (tmp_path / "out" / entry.file).read_bytes() == b"first"


def test_revalidating_asks_only_whether_a_document_has_changed(tmp_path, web):
    def conditional(asked):
        known = asked.headers.get("if-none-match") == '"1"'
        asked.send(b"" if known else b"first", 304 if known else 200, {"ETag": '"1"'})

    web.routes["/a.txt"] = conditional
    web.route("/b.txt", b"b")
    urls = [f"{web.url}/a.txt", f"{web.url}/b.txt"]
    before = fetch(tmp_path, urls)

    assert fetch(tmp_path, urls, revalidate=True) == before
    assert web.asked[-1].headers.get("if-none-match", '"1"') == '"1"'

    web.route("/b.txt", b"gone", status=410)
    kept, gone = fetch(tmp_path, urls, revalidate=True)
    assert (kept, gone.error) == (before[0], "fetch: gone: HTTP 410")


def test_a_server_that_is_down_says_nothing_of_a_document_that_is_here(tmp_path):
    with serve() as server:
        server.route("/a.txt", b"first")
        before = fetch(tmp_path, [f"{server.url}/a.txt"])

    assert fetch(tmp_path, [f"{server.url}/a.txt"], revalidate=True) == before


def test_the_same_url_twice_is_asked_for_once_and_the_second_is_a_duplicate(tmp_path, web):
    web.route("/a.txt", b"first")

    first, second = fetch(tmp_path, [f"{web.url}/a.txt"] * 2)

    assert web.paths() == ["/a.txt"]
    assert (first.error, second.error) == ("", f"duplicate: {web.url}/a.txt")


def test_robots_txt_is_kept_to_unless_a_host_is_exempt(tmp_path, web):
    web.route("/robots.txt", b"User-agent: *\nDisallow: /private/\n\nUser-agent: longalpaca\nDisallow: /ours/\n")
    web.route("/ours/a.txt", b"ours")
    web.route("/private/a.txt", b"private")
    urls = [f"{web.url}/ours/a.txt", f"{web.url}/private/a.txt"]

    ours, private = fetch(tmp_path, urls)
    assert ours.error == f"fetch: robots.txt: {web.url} forbids programs to read this"
    assert private.file

    assert all(entry.file for entry in fetch(tmp_path, urls, robots_exempt=["127.0.0.1"]))


def test_a_host_whose_robots_txt_fails_is_not_asked(tmp_path, web):
    web.route("/robots.txt", b"", status=500)
    web.route("/a.txt", b"a")
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "sources.yaml").write_text(
        yaml.safe_dump([{"url": f"{web.url}/a.txt", **COMMON}, {"path": "b.txt", **COMMON}])
    )

    run(fetch_params(), sources=tmp_path / "sources.yaml", out=tmp_path / "out")

    assert "cannot be asked: HTTP 500" in read_entries(tmp_path / "out")[0].error
    assert web.paths() == []


def test_a_server_that_is_busy_is_left_alone_for_as_long_as_it_says(tmp_path, web):
    def busy(asked):
        early = len(web.paths()) <= 4  # those that are on their way already
        asked.send(b"" if early else asked.path.encode(), 429 if early else 200, {"Retry-After": "1"} if early else {})

    web.routes["*"] = busy
    web.route("/robots.txt", status=404)
    entries = fetch(tmp_path, [f"{web.url}/{number}.txt" for number in range(8)], num_attempts=3)

    assert all(entry.file for entry in entries)
    times = [asked.time for asked in web.asked if asked.path != "/robots.txt"]
    assert times[4] - times[0] >= 0.99


def test_a_server_that_wants_to_be_left_alone_for_too_long_is_a_reason(tmp_path, web):
    web.route("/a.txt", b"", status=503, Retry_After="86400")
    web.route("/b.txt", b"b")

    (first, second) = fetch(tmp_path, [f"{web.url}/a.txt", f"{web.url}/b.txt"], num_attempts=3)

    assert first.error == "fetch: HTTP 503: the server asks to wait 86400 seconds"
    assert second.file


def test_a_fault_that_passes_is_tried_again_and_one_that_does_not_is_not(tmp_path, web):
    seen = []

    def flaky(asked):
        seen.append(asked.path)
        asked.send(b"a", 500 if len(seen) < 2 else 200)

    web.routes["/a.txt"] = flaky
    web.route("/b.txt", status=403)

    first, second = fetch(tmp_path, [f"{web.url}/a.txt", f"{web.url}/b.txt"], num_attempts=3)

    assert first.file
    assert second.error == "fetch: refused by the server: HTTP 403"
    assert web.paths().count("/b.txt") == 1


def with_ranges(body, etag, break_after=None):
    """A document that can be asked for in parts, and whose first transfer breaks off."""
    broken = []

    def answer(asked):
        span = asked.headers.get("range", "")
        if span and asked.headers.get("if-range") == etag:
            start = int(span.removeprefix("bytes=").rstrip("-"))
            asked.send(body[start:], 206, {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}", "ETag": etag})
        elif break_after and not broken:
            broken.append(True)
            asked.send(body[:break_after], 200, {"Content-Length": str(len(body)), "ETag": etag})
        else:
            asked.send(body, 200, {"ETag": etag})

    return answer


def test_a_transfer_that_breaks_off_goes_on_where_it_was(tmp_path, web):
    body = random.Random(1).randbytes(1_000_000)
    web.routes["/a.txt"] = with_ranges(body, '"1"', break_after=600_000)

    (entry,) = fetch(tmp_path, [f"{web.url}/a.txt"], num_attempts=2)

    assert (tmp_path / "out" / entry.file).read_bytes() == body
    start = int(web.asked[-1].headers["range"].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= 600_000


def test_a_document_that_changed_in_the_meantime_is_fetched_from_its_start(tmp_path, web):
    old, new = (random.Random(seed).randbytes(300_000) for seed in (1, 2))
    web.routes["/a.txt"] = with_ranges(old, '"1"', break_after=200_000)
    web.route("/b.txt", b"b")
    urls = [f"{web.url}/a.txt", f"{web.url}/b.txt"]
    with pytest.raises(KeyboardInterrupt):
        run_interrupted(tmp_path, urls)
    web.routes["/a.txt"] = with_ranges(new, '"2"')

    entry, _ = fetch(tmp_path, urls)

    assert web.asked[-1].headers["if-range"] == '"1"'
    assert (tmp_path / "out" / entry.file).read_bytes() == new


def run_interrupted(folder, urls):
    """Run a fetch that ends, as if killed, before it can finish."""
    import pipeline.fetch as stage

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "finish", interrupt)
        fetch(folder, urls)


def test_a_server_that_sends_another_part_than_was_asked_for_is_asked_from_the_start(tmp_path, web):
    body = random.Random(1).randbytes(300_000)
    honest = with_ranges(body, '"1"', break_after=200_000)

    def liar(asked):
        if "range" in asked.headers:
            asked.send(body[5:], 206, {"Content-Range": f"bytes 5-{len(body) - 1}/{len(body)}"})
        else:
            honest(asked)

    web.routes["/a.txt"] = liar

    (entry,) = fetch(tmp_path, [f"{web.url}/a.txt"], num_attempts=4)

    assert (tmp_path / "out" / entry.file).read_bytes() == body


def test_a_host_that_is_down_does_not_hold_up_the_others(tmp_path, web):
    for number in range(40):
        web.route(f"/{number}.txt", str(number).encode())
    dead = [f"http://127.0.0.9:9/{number}.txt" for number in range(200)]
    web_urls = [f"{web.url}/{number}.txt" for number in range(40)]

    entries = fetch(tmp_path, dead + web_urls, allow_private=["127.0.0.1", "127.0.0.9"], num_attempts=2)

    assert all(entry.file for entry in entries[200:])
    assert {entry.error.split(" (")[0] for entry in entries[:200]} == {"fetch: no connection: 127.0.0.9:9"}


def test_a_host_that_answers_slowly_does_not_hold_up_the_others(tmp_path):
    released = threading.Event()
    with serve() as fast, serve("127.0.0.2") as slow:
        for number in range(40):
            fast.route(f"/{number}.txt", str(number).encode())

        def wait(asked):
            released.wait(10)
            asked.send(asked.path.encode())

        slow.routes["*"] = wait
        slow.route("/robots.txt", status=404)

        def release_when_others_are_done():
            while len(fast.paths()) < 40:
                time.sleep(0.01)
            released.set()

        threading.Thread(target=release_when_others_are_done, daemon=True).start()
        urls = [f"{slow.url}/{number}.txt" for number in range(20)] + [
            f"{fast.url}/{number}.txt" for number in range(40)
        ]
        entries = fetch(tmp_path, urls, allow_private=["127.0.0.1", "127.0.0.2"], answer_seconds=20.0)

    assert released.is_set()
    assert all(entry.file for entry in entries)


def test_two_fetches_into_one_folder_are_refused(tmp_path, web):
    from pipeline.downloads.lockfile import open_journal

    web.route("/a.txt", b"a")
    with open_journal(tmp_path / "out" / "journal.jsonl"), pytest.raises(InputError, match="another fetch at work"):
        fetch(tmp_path, [f"{web.url}/a.txt"])


def test_a_broken_lock_file_is_named(tmp_path, web):
    (tmp_path / "sources.yaml.lock").write_text("{")
    with pytest.raises(InputError, match=r"sources\.yaml\.lock: found a broken lock file"):
        fetch(tmp_path, [f"{web.url}/a.txt"])


def test_the_sec_is_told_who_asks(tmp_path):
    with pytest.raises(InputError, match=r"fetch\.contact: found ''; expected your name and mail address"):
        fetch(tmp_path, ["https://www.sec.gov/Archives/edgar/data/1/a.htm"])


def test_the_user_agent_says_who_asks(tmp_path, web):
    web.route("/a.txt", b"a")
    fetch(tmp_path, [f"{web.url}/a.txt"], contact="Ann Example ann@example.org")
    assert "Ann Example ann@example.org" in web.asked[-1].headers["user-agent"]


def test_a_body_far_beyond_the_size_that_the_catalogue_says_is_refused(tmp_path, web):
    web.route("/a.txt", b"x" * 500)
    web.route("/b.txt", b"x" * 150)
    first, second = fetch(tmp_path, [f"{web.url}/a.txt", f"{web.url}/b.txt"], {"size": 100})
    assert first.error == "fetch: too large: 500 bytes, at most 200 are expected"
    assert second.file


NUM_ENTRIES = 300
NUM_KILLS = 20


def body_of(path):
    chance = random.Random(path)
    return chance.randbytes(chance.randrange(1_000, 60_000))


@pytest.mark.long
def test_300_entries_fetched_with_20_kills_are_those_of_a_run_without(tmp_path, root):
    """Each document once, in the order of the list, and every byte the same; nothing whole is asked for again."""

    def slowly(asked):
        time.sleep(0.02)
        body = body_of(asked.path)
        with_ranges(body, f'"{hashlib.sha256(body).hexdigest()}"')(asked)

    with ExitStack() as stack:
        servers = [stack.enter_context(serve(f"127.0.0.{number}")) for number in range(1, 5)]
        for server in servers:
            server.routes["*"] = slowly
            server.route("/robots.txt", status=404)
        urls = [f"{servers[number % 4].url}/{number}.txt" for number in range(NUM_ENTRIES)]
        for name in ("whole", "killed"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "sources.yaml").write_text(yaml.safe_dump([{"url": url, **COMMON} for url in urls]))

        def num_asked():
            return sum(len(server.paths()) for server in servers)

        assert start(root, tmp_path / "whole").wait() == 0
        assert num_asked() == NUM_ENTRIES
        points = random.Random(7).sample(range(NUM_ENTRIES - 40), NUM_KILLS)
        assert kill_at(root, tmp_path / "killed", points, 7) == NUM_KILLS
        assert start(root, tmp_path / "killed").wait() == 0
        asked_twice = num_asked() - 2 * NUM_ENTRIES

    assert tree(tmp_path / "whole") == tree(tmp_path / "killed")
    entries = read_entries(tmp_path / "killed" / "out")
    assert [entry.source for entry in entries] == urls
    assert len({entry.doc_id for entry in entries}) == NUM_ENTRIES
    assert asked_twice <= NUM_KILLS * 16  # what was on its way when it was killed
