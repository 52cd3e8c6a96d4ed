"""A node in a few lines over real HTTP, for tests of the client: keeps what it gets, counts sessions, can refuse."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "secret"


class SmallNode:
    def __init__(self):
        self.twins, self.types, self.gaps = {}, {}, defaultdict(list)
        self.seen, self.rows, self.counts = set(), [], defaultdict(lambda: [0, 0, 0, 0])
        self.seq = 0
        self.refuse = 0  # how many of the next sends to refuse
        self.fail_after = None  # take so many lines of the next request, then fail; they are held back when sent again
        self.stream, self.held_back = set(), 0
        self.lose = False  # take a message and count nothing
        self.simulated = []
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16

            def answer(self):
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    status, told = 401, {"code": "session:none", "message": "no token", "hint": "Give one"}
                else:
                    path = [unquote(p) for p in url.path.removeprefix("/api/v1/").split("/")]
                    query = {k: v[0] for k, v in parse_qs(url.query).items()}
                    status, told = node.call(self.command, path, query, self.headers, body)
                content = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = answer  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def call(self, method, path, query, headers, body):
        match method, path:
            case "GET", ["twins"]:
                ids = sorted(self.twins)
                at = int(query.get("cursor", 0))
                items = [{"id": i, "uid": "u" + i, "kind": "machine", "new_field": 1} for i in ids[at : at + 2]]
                return 200, {"items": items, "next": str(at + 2) if at + 2 < len(ids) else None}
            case "GET", ["twins", id] if id in self.twins:
                return 200, self.twins[id]
            case "PUT", ["twins", id]:
                self.twins[id] = {"id": id, "uid": "u" + id, **self.twins.get(id, {}), **json.loads(body)}
                return 201, self.twins[id]
            case "POST", ["twins", id, "gaps"]:
                self.gaps[id] = json.loads(body)["gaps"]
                return 200, {"gaps": self.gaps[id]}
            case "POST", ["twins", id, "observations"]:
                return self.take(id, headers, body)
            case "GET", ["twins", id, "ingest"]:
                names = ("messages", "stored", "quarantined", "repeated")
                return 200, {**dict(zip(names, self.counts[(id, query["session"])], strict=True)), "since": "t0"}
            case "POST", ["machine-types"]:
                told = json.loads(body)
                reference = f"{told['name']}@{told['version']}"
                if self.types.setdefault(reference, told) != told:
                    return 409, {"code": "machine-type:version-exists", "message": "other content", "hint": "next"}
                return 201, {"registered": [reference], "unchanged": []}
            case "GET", ["machine-types", reference] if reference in self.types:
                return 200, self.types[reference]
            case "GET", ["cut"]:
                return 200, {"committed": {"0": -1, "1": self.seq}, "received": {}}
            case "GET", ["quarantine"]:
                entry = {"id": "1-2-0", "received": "t", "source": "s", "twin": "a", "code": "c:d", "message": "m"}
                return 200, {"items": [entry], "next": None, "counts": {"c:d": 1}}
            case "POST", ["twins", id, "commands", name]:
                told = json.loads(body)["parameters"]
                status = "refused" if name == "jog" else "effective"
                return 202, {"id": "c1", "twin": id, "name": name, "status": status, "parameters": told}
            case "GET", ["simulator"]:
                return 200, {"faults": [{"twin": "mill", "fault": "bearing", "title": "Bearing", "active": False}]}
            case "POST", ["simulator", "faults"]:
                self.simulated.append(json.loads(body))
                return 200, {"faults": []}
            case "GET", ["export"]:
                return 200, f"time,{query['twins']},{query['form']}\n".encode()
            case "GET", ["events"]:
                after = headers.get("Last-Event-ID", "")
                live = ': hi\r\nevent: live\ndata: {"twin":\ndata: "a"}\n\n'
                return 200, f'{live}id: 7\ndata: {{"after": "{after}"}}\n\n'.encode()
            case "GET", ["broken"]:
                return 500, b"<html>"
        return 404, {"code": "twin:unknown", "message": f"no {path}", "hint": "Look at GET /twins", "where": path[-1]}

    def take(self, id, headers, body):
        if self.refuse:
            self.refuse -= 1
            return 503, {"code": "bus:refused", "message": "the stream is full", "hint": "Later"}
        assert headers["Content-Type"] == "application/x-ndjson"
        lines = body.split(b"\n")
        held_back = 0
        for number, line in enumerate(lines):
            if number == self.fail_after:
                self.fail_after = None
                return 503, {"code": "bus:not-reachable", "message": "the bus went away", "hint": "Later"}
            told = json.loads(line)
            if (id, line) in self.stream:
                held_back += 1
                continue
            if self.fail_after is not None:
                self.stream.add((id, line))
            values = told.get("values", {"": None})
            count = self.counts[(id, told["session"])]
            self.seq += 1
            if self.lose:
                continue
            count[0] += 1
            if (id, told["session"], told["seq"]) in self.seen:
                count[3] += len(values)
                continue
            self.seen.add((id, told["session"], told["seq"]))
            bad = "values" not in told or not isinstance(told["time"], int) or told["time"] < 1_500_000_000 * 10**9
            for name, value in values.items():
                wrong = bad or (name == "Fovr" and isinstance(value, str))
                count[2 if wrong else 1] += 1
                if not wrong:
                    self.rows.append((id, name, told["time"], value))
        self.held_back += held_back
        return 202, {"accepted": len(lines), "duplicate": False, "duplicates": held_back, "cut": {"1": self.seq}}
