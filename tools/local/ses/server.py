"""The HTTP server: SES v1 and v2, and the control API, on one port."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import traceback
import urllib.parse

from . import control_api
from .dispatch import Request, Response, handle
from .local_ses import LocalSes

CONTROL_PREFIX = "/_local_ses"


class Server:
    """Serves from the moment it is made until `close`. Port 0 takes a free one."""

    def __init__(self, ses: LocalSes, host: str = "127.0.0.1", port: int = 0):
        self.ses = ses
        self._http = _Http((host, port), _Handler)
        self._http.ses = ses
        self.url = f"http://{host}:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self.ses.close()


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Many functions may start at once.
    request_queue_size = 128
    ses: LocalSes


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it an answer waits for the client's acknowledgement of its headers.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        try:
            response = self._respond(path, query, body)
        except Exception:  # noqa: BLE001  A bug must reach the client as an error, not as a closed connection.
            traceback.print_exc(file=sys.stderr)
            response = Response(
                500, json.dumps({"message": "local SES failed; see its log"}).encode(), "application/json"
            )
        if response.lost:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def _respond(self, path: str, query: str, body: bytes) -> Response:
        ses = self.server.ses
        if path.startswith(f"{CONTROL_PREFIX}/"):
            pairs = dict(urllib.parse.parse_qsl(query))
            status, answer = control_api.handle(ses, self.command, path.removeprefix(CONTROL_PREFIX), pairs, body)
            return Response(status, json.dumps(answer).encode(), "application/json")
        request = Request(self.command, path, query, self.headers.get("Authorization"), body, self.client_address[0])
        return handle(ses, request)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def log_message(self, *_) -> None:
        # The call log has every request.
        pass
