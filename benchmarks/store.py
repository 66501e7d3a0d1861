"""The object store for all contestants: `rclone serve s3`, with or without TLS."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import peer

ACCESS_KEY, SECRET_KEY = "benchmark", "benchmark-secret"
BUCKET, REGION = "bench", "us-east-1"
LOOPBACK = "127.0.0.1"
_DEADLINE = 20.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for one address, and its key."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Store:
    """A running store."""

    host: str
    endpoint: str
    """`http://host:port` or https."""
    certificate: Certificate | None
    folder: Path
    """Folder of the stored files, byte for byte."""

    def holds(self) -> int:
        """Total bytes of all objects."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


@contextmanager
def serving(folder: Path, certificate: Certificate | None, host: str = LOOPBACK) -> Iterator[Store]:
    (folder / BUCKET).mkdir(parents=True)
    port = _free_port(host)
    command = [peer("rclone"), "serve", "s3", str(folder), "--config", os.devnull]
    command += ["--addr", f"{host}:{port}", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    if certificate:
        command += ["--cert", str(certificate.cert), "--key", str(certificate.key)]
    with running(command):
        _await_listener(host, port)
        yield Store(host, f"{'https' if certificate else 'http'}://{host}:{port}", certificate, folder)


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A helper process that is not measured; its first lines can be read from `stdout`."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def create_certificate(folder: Path, host: str = LOOPBACK) -> Certificate:
    """Create a certificate with openssl. Raises FileNotFoundError, CalledProcessError."""
    certificate = Certificate(folder / "cert.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}", "-days", "2"]
    command += ["-keyout", str(certificate.key), "-out", str(certificate.cert)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


def _free_port(host: str) -> int:
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def _await_listener(host: str, port: int) -> None:
    give_up = time.monotonic() + _DEADLINE
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return
