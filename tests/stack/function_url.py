"""Sends HTTP requests to a function as its Function URL does. The emulator creates the URL and does not serve it."""

import base64
import contextlib
import http.server
import json
import threading
import uuid

import boto3


@contextlib.contextmanager
def serve(function: str):
    """The base address of a server that turns each request into an invocation with the payload format 2.0."""
    client = boto3.client("lambda")

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            path, _, query = self.path.partition("?")
            event = {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "requestContext": {
                    "requestId": str(uuid.uuid4()),
                    "http": {"method": self.command, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
                },
                "isBase64Encoded": bool(body),
            }
            if body:
                event["body"] = base64.b64encode(body).decode()
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
            response = json.load(answer["Payload"])
            assert "FunctionError" not in answer, response
            self.send_response(response["statusCode"])
            for name, value in response["headers"].items():
                self.send_header(name, value)
            content = response["body"].encode()
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
