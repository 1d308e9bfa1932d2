"""A server that stands for the Hugging Face hub, by what its library asks."""

import contextlib
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FIRST, SECOND = "a" * 40, "b" * 40


@dataclass
class Hub:
    """What is served.

    Attributes:
        commits: Files by path, by commit.
        main: The commit of the branch.
        repo: The one repository that is open; ``acme/gated`` asks for terms.
        asked: Method and path of all requests.
        url: Where it answers.
    """

    commits: dict[str, dict[str, bytes]]
    main: str = FIRST
    repo: str = "acme/nets"
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(?:revision|tree)/([^/?]+).*", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+).*", path)
        repo, revision = (api or file).groups()[:2] if api or file else ("", "")
        if repo == "acme/gated":
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        if repo != self.repo:
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        commit = self.main if revision == "main" else revision
        if commit not in self.commits:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        files = self.commits[commit]
        if api and "/tree/" in path:
            listed = [
                {"type": "file", "path": name, "size": len(content), "oid": _etag(content)}
                for name, content in files.items()
            ]
            return 200, {}, json.dumps(listed).encode()
        if api:
            names = [{"rfilename": name} for name in files]
            found = {"id": repo, "modelId": repo, "sha": commit, "siblings": names, "tags": []}
            return 200, {}, json.dumps(found).encode()
        if file[3] not in files:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, b""
        content = files[file[3]]
        return 200, {"ETag": f'"{_etag(content)}"', "X-Repo-Commit": commit}, content


def _etag(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextlib.contextmanager
def served(hub: Hub) -> Iterator[Hub]:
    """Answer until the end of the block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            status, headers, content = hub.answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def files_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their paths."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
