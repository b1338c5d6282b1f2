"""Run the local SES: python -m ses --port 4567 --aws-endpoint http://127.0.0.1:4566"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from .local_ses import LocalSes
from .server import Server
from .state.model import Settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="ses", description="A local stand-in for Amazon SES.")
    parser.add_argument("--port", type=int, default=4567)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--aws-endpoint", default=os.environ.get("AWS_ENDPOINT_URL"), help="where SNS, S3, Lambda and the others are"
    )
    parser.add_argument(
        "--second", type=float, default=1.0, help="length of SES's second in real seconds; 0 turns its limits off"
    )
    options = parser.parse_args()
    server = Server(LocalSes(options.aws_endpoint, Settings(second=options.second)), options.host, options.port)
    print(f"local SES at {server.url}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.wait()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
