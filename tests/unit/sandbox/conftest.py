"""What tests of the sandbox share: a message around an attachment, opened in this process."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from gatepost.ports import Opened
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.walker import Walker

Open = Callable[..., Opened]


def message(octets: bytes, name: str, text: str = "Hello", declared_type: str = "application/octet-stream") -> bytes:
    """A message of a text and one attachment."""
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return (
        b"From: ann@example.org\r\nTo: bob@example.net\r\nSubject: hello\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
        + text.encode()
        + f"\r\n--b\r\nContent-Type: {declared_type}\r\nContent-Transfer-Encoding: base64\r\n".encode()
        + f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + encoded
        + b"\r\n--b--\r\n"
    )


@pytest.fixture
def make_message() -> Callable[..., bytes]:
    """`message`."""
    return message


@pytest.fixture
def open_attachment() -> Open:
    """Opens a message with this attachment, here, without a child."""

    def opened(octets: bytes, name: str = "x.bin", text: str = "Hello", **limits: int) -> Opened:
        finds = Finds(Limits(**limits))
        Walker(finds).walk(message(octets, name, text))
        return finds.opened()

    return opened


@pytest.fixture
def needed(report_missing: Callable[[str], None]) -> Callable[[str], Any]:
    """Loads a module of the extra `scan`. Without it a test is skipped by name, and fails with CI=true."""

    def load(name: str) -> Any:
        try:
            return import_module(name)
        except Exception as error:  # libarchive's own library may be what is missing
            report_missing(f"{name} ({error})")

    return load
