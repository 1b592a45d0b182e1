"""A server that speaks as much of the Hub's protocol as publishing and loading need, on the loopback."""

import base64
import hashlib
import json
import os
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

API = re.compile(r"/api/(models|datasets)/([\w.-]+/[\w.-]+)(?:/([\w-]+)(?:/([^?]*))?)?$")
LFS = re.compile(r"(?:/datasets)?/([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch$")
RESOLVE = re.compile(r"(?:/datasets)?/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)$")


@dataclass
class Repo:
    """Branches and tags name commits; a commit is all files by name: (is it LFS, bytes)."""

    private: bool
    commits: dict[str, dict[str, tuple[bool, bytes]]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, tuple[bool, bytes]]) -> str:
        told = json.dumps([len(self.commits), *sorted((n, git_hash(b)) for n, (_, b) in files.items())])
        oid = git_hash(told.encode())
        self.commits[oid] = files
        self.branches[branch] = oid
        return oid

    def at(self, revision: str) -> str | None:
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return oid if oid in self.commits else None


class Hub:
    """The state, and what was asked of it; `before` and `after` are called with the number of each request."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.log: list[str] = []
        self.before: Callable[[int], None] = lambda number: None
        self.after: Callable[[int], None] = lambda number: None
        self.corrupt = False  # whether stored objects get another byte, as a broken disk would give
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": self}))
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that was killed is no news
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> "Hub":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def kill_at(self, pid: int, number: int, *, done: bool) -> None:
        """Kill a process at a request, before or after that has been done."""

        def kill(current: int) -> None:
            if current == number:
                os.kill(pid, signal.SIGKILL)

        self.before, self.after = (lambda n: None, kill) if done else (kill, lambda n: None)

    def files(self, name: str, revision: str = "main") -> dict[str, bytes]:
        repo = self.repos[name]
        return {path: content for path, (_, content) in repo.commits[repo.at(revision) or ""].items()}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self) -> None:
        body = self.body()
        path = unquote(urlsplit(self.path).path)
        with self.hub.lock:
            number = len(self.hub.log)
            self.hub.log.append(f"{self.command} {path}")
            self.hub.before(number)
            status, content, headers = self.dispatch(path, body)
            self.hub.after(number)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            pieces = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return pieces
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def dispatch(self, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}, {}
        if path.startswith("/lfs/"):
            return self.store(path.removeprefix("/lfs/"), body)
        if match := LFS.match(path):
            return self.batch(json.loads(body))
        if match := RESOLVE.match(path):
            return self.resolve(*match.groups())
        if match := API.match(path):
            return self.api(match[2], match[3] or "info", match[4] or "", body)
        return 404, {"error": f"no such place: {path}"}, {}

    def create(self, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if name in self.hub.repos:
            return 409, {"error": "exists", "url": f"{self.hub.url}/datasets/{name}"}, {}
        private = asked.get("private", asked.get("visibility") == "private")
        repo = self.hub.repos[name] = Repo(bool(private))
        repo.commit("main", {".gitattributes": (False, b"*.parquet filter=lfs\n")})
        return 200, {"url": f"{self.hub.url}/datasets/{name}", "id": name}, {}

    def store(self, oid: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.objects[oid] = body + b"!" * self.hub.corrupt
        return 200, {}, {}

    def batch(self, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        objects = []
        for item in asked["objects"]:
            actions = {"upload": {"href": f"{self.hub.url}/lfs/{item['oid']}"}}
            objects.append(item if item["oid"] in self.hub.objects else {**item, "actions": actions})
        return 200, {"transfer": "basic", "objects": objects}, {}

    def api(self, name: str, what: str, rest: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        repo = self.hub.repos.get(name)
        if repo is None:
            return 404, {"error": "no such repository"}, {"X-Error-Code": "RepoNotFound"}
        revision, _, folder = rest.partition("/")
        if what in {"info", "revision"}:
            return self.info(name, repo, revision or "main")
        if what == "refs":
            return 200, self.refs(repo), {}
        if what == "branch":
            if rest in repo.branches:
                return 409, {"error": "exists"}, {}
            repo.branches[rest] = repo.branches["main"]
            return 200, {}, {}
        oid = repo.at(revision)
        if oid is None:
            return 404, {"error": "no such revision"}, {"X-Error-Code": "RevisionNotFound"}
        if what == "tag":
            tag = json.loads(body)["tag"]
            if tag in repo.tags:
                return 409, {"error": "exists"}, {}
            repo.tags[tag] = oid
            return 200, {}, {}
        if what == "preupload":
            return 200, {"files": [self.mode(repo.commits[oid], f["path"]) for f in json.loads(body)["files"]]}, {}
        if what == "commit":
            return self.commit(name, repo, revision, body)
        files = repo.commits[oid]
        if what == "tree":
            recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in {"true", "1"}
            items = tree_of(files, folder, recursive=recursive)
            if folder and not items:
                return 404, {"error": "no such entry"}, {"X-Error-Code": "EntryNotFound"}
            return 200, items, {}
        if what == "paths-info":
            wanted = parse_qs(body.decode()).get("paths") or json.loads(body)["paths"]
            return 200, [item for item in tree_of(files, "", recursive=True) if item["path"] in wanted], {}
        return 404, {"error": f"no such thing: {what}"}, {}

    def mode(self, files: dict[str, tuple[bool, bytes]], path: str) -> dict[str, Any]:
        is_lfs = path.endswith((".parquet", ".safetensors")) or path.startswith("LongAlpaca")
        oid = git_hash(files[path][1]) if path in files and not is_lfs else None
        return {"path": path, "uploadMode": "lfs" if is_lfs else "regular", "shouldIgnore": False, "oid": oid}

    def commit(self, name: str, repo: Repo, branch: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        files = dict(repo.commits[repo.branches[branch]])
        for line in body.decode().splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = (False, base64.b64decode(value["content"]))
            elif item["key"] == "lfsFile":
                files[value["path"]] = (True, self.hub.objects[value["oid"]])
            elif item["key"] == "deletedFile":
                del files[value["path"]]
        oid = repo.commit(branch, files)
        url = f"{self.hub.url}/datasets/{name}/commit/{oid}"
        return 200, {"success": True, "commitUrl": url, "commitOid": oid, "hookOutput": ""}, {}

    def info(self, name: str, repo: Repo, revision: str) -> tuple[int, Any, dict[str, str]]:
        oid = repo.at(revision)
        if oid is None:
            return 404, {"error": "no such revision"}, {"X-Error-Code": "RevisionNotFound"}
        siblings = [{"rfilename": path} for path in sorted(repo.commits[oid])]
        told = {"id": name, "sha": oid, "private": repo.private, "siblings": siblings, "tags": [], "downloads": 0}
        return 200, {**told, "gated": False, "disabled": False, "lastModified": "2024-01-01T00:00:00.000Z"}, {}

    def refs(self, repo: Repo) -> dict[str, Any]:
        def listed(kind: str, names: dict[str, str]) -> list[dict[str, str]]:
            return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid} for n, oid in sorted(names.items())]

        return {"branches": listed("heads", repo.branches), "tags": listed("tags", repo.tags), "converts": []}

    def resolve(self, name: str, revision: str, path: str) -> tuple[int, Any, dict[str, str]]:
        repo = self.hub.repos.get(name)
        if repo is None:
            return 404, {"error": "no such repository"}, {"X-Error-Code": "RepoNotFound"}
        oid = repo.at(revision)
        if oid is None:
            return 404, {"error": "no such revision"}, {"X-Error-Code": "RevisionNotFound"}
        if path not in repo.commits[oid]:
            return 404, {"error": "no such entry"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": oid}
        content = repo.commits[oid][path][1]
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"X-Repo-Commit": oid, "ETag": tag, "Accept-Ranges": "bytes", "Content-Length": str(len(content))}
        if match := re.match(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or ""):
            start = int(match[1]) if match[1] else len(content) - int(match[2])
            end = min(int(match[2]) if match[1] and match[2] else len(content) - 1, len(content) - 1)
            part = content[start : end + 1]
            headers |= {"Content-Range": f"bytes {start}-{end}/{len(content)}", "Content-Length": str(len(part))}
            return 206, part, headers
        return 200, content, headers


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def tree_of(files: dict[str, tuple[bool, bytes]], folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    prefix = f"{folder}/" if folder else ""
    items: dict[str, dict[str, Any]] = {}
    for path, (is_lfs, content) in sorted(files.items()):
        if not path.startswith(prefix):
            continue
        inside = path.removeprefix(prefix).split("/")
        for depth in range(1, len(inside)):
            name = prefix + "/".join(inside[:depth])
            if recursive or depth == 1:
                items[name] = {"type": "directory", "oid": git_hash(name.encode()), "size": 0, "path": name}
        if recursive or len(inside) == 1:
            items[path] = {"type": "file", "oid": git_hash(content), "size": len(content), "path": path}
            if is_lfs:
                sha256 = hashlib.sha256(content).hexdigest()
                items[path]["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return list(items.values())
