"""The small HTTP listener for health and metrics, in a process of its own.

In: the metrics table, a function that says what is wrong. Out: /healthz (the processes run), /readyz (mail would be
taken now), /metrics (Prometheus text). Read-only, loopback unless configured otherwise; no message content.
Not here: the dashboard.
"""

from __future__ import annotations

import os
import select
import socket
import socketserver
import threading
import time
import wsgiref.simple_server
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from gatepost.server.metrics import Collector, MetricsTable

REQUEST_TIMEOUT = 5.0  # seconds for a whole request; a monitoring system asks in milliseconds
MAX_REQUESTS = 20  # at the same time; the next one is hung up on


class _Handler(wsgiref.simple_server.WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes every fifteen seconds are no events."""


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A thread a request, so that one who dawdles holds up nobody else; and nobody dawdles for long."""

    daemon_threads = True
    block_on_close = False
    address_family = socket.AF_INET

    def __init__(self, address: Any) -> None:
        super().__init__(address, _Handler, bind_and_activate=False)
        self._open: dict[socket.socket, float] = {}  # when each request began
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begins a thread, unless there are enough."""
        with self._guard:
            full = len(self._open) >= MAX_REQUESTS
            if not full:
                self._open[request] = time.monotonic()
        if full:
            request.close()  # without waiting for what it may still send
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """The request is over."""
        with self._guard:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called by `serve_forever` twice a second. The socket's time-out is for each piece, this for the whole."""
        before = time.monotonic() - REQUEST_TIMEOUT
        with self._guard:
            for request, began in self._open.items():
                if began < before:
                    _hang_up(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event either."""


def _hang_up(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was faster


def application(
    table: MetricsTable, gauges: dict[str, Any], troubles: Callable[[], list[str]]
) -> Callable[..., Iterable[bytes]]:
    """The WSGI application. `troubles` lists in plain words why mail would not be taken now."""
    from prometheus_client import CollectorRegistry, make_wsgi_app

    registry = CollectorRegistry()
    registry.register(Collector(table, gauges))
    metrics = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return find(environ, start_response)
        except Exception as error:  # wsgiref would write a traceback into the log
            return _text(start_response, "500 Internal Server Error", f"cannot be told: {error}")

    def find(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        if path == "/healthz":
            return _text(start_response, "200 OK", "running")
        if path == "/readyz":
            wrong = troubles()
            return _text(start_response, "503 Service Unavailable" if wrong else "200 OK", "\n".join(wrong) or "ready")
        return _text(start_response, "404 Not Found", "known here: /healthz /readyz /metrics")

    return answer


def _text(start_response: StartResponse, status: str, text: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
    return [text.encode("utf-8") + b"\n"]


def serve_until_end(listening: socket.socket, app: Callable[..., Iterable[bytes]], lifeline: int) -> None:
    """Serves on the bound socket `listening` until the supervisor is gone."""
    server = _Server(listening.getsockname()[:2])
    server.socket.close()
    server.socket = listening
    server.server_name, server.server_port = listening.getsockname()[:2]
    server.setup_environ()
    server.set_app(app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    select.select([lifeline], [], [])
    os._exit(0)
