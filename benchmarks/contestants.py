"""The contestants: our command and engine, s5cmd, rclone; with the sign-in and environment of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import peer
from benchmarks.store import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, Store, running

PROGRAM = (sys.executable, "-m", "tui_uploader")
ENGINE = (sys.executable, "-P", "-m", "tui_uploader.service.daemon")
"""The command by which front ends spawn the engine."""
_ENGINE_DEADLINE = 20.0


@contextmanager
def signed_in(home: Path, store: Store) -> Iterator[Mapping[str, str]]:
    """A cloud that issues credentials for `store`, and the environment of a user who is signed in."""
    command = [sys.executable, "-m", "benchmarks.rest_cloud", "--root", str(home / "cloud")]
    command += ["--endpoint", store.endpoint, "--host", store.host]
    if tls := store.certificate:
        command += ["--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]
    with running(command) as cloud:
        if cloud.stdout is None:
            raise RuntimeError("the cloud has no stdout")
        address = json.loads(cloud.stdout.readline())
        yield {
            **private_home(home),
            "PIX4D_CLOUD_URL": address["url"],
            "PIX4D_CLIENT_ID": address["client_id"],
            "PIX4D_CLIENT_SECRET": address["client_secret"],
            "TUI_UPLOADER_CA_FILE": str(tls.cert) if tls else "",
        }


@contextmanager
def signed_in_locally(home: Path, root: Path) -> Iterator[Mapping[str, str]]:
    """A local cloud with its storage in `root`, and the environment of a user who is signed in."""
    command = [*PROGRAM, "cloud", "serve", "--json", "--port", "0", "--root", str(root)]
    with running(command) as cloud:
        if cloud.stdout is None:
            raise RuntimeError("the cloud has no stdout")
        address = json.loads(cloud.stdout.readline())
        yield {
            **private_home(home),
            "PIX4D_CLOUD_URL": address["url"],
            "PIX4D_CLIENT_ID": address["client_id"],
            "PIX4D_CLIENT_SECRET": address["client_secret"],
        }


def private_home(home: Path) -> Mapping[str, str]:
    """The environment that keeps all our files below `home`."""
    return {
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
        "HOME": str(home),
        "TUI_UPLOADER_NO_KEYRING": "1",
    }


def await_engine(environment: Mapping[str, str]) -> None:
    """Wait until the engine answers. Raises TimeoutError."""
    give_up = time.monotonic() + _ENGINE_DEADLINE
    command = [*PROGRAM, "engine", "status", "--json"]
    while subprocess.run(command, env={**os.environ, **environment}, capture_output=True).returncode:
        if time.monotonic() > give_up:
            raise TimeoutError("the engine did not start")


def our_upload(card: Path) -> list[str]:
    return [*PROGRAM, "upload", str(card), "--new", "Benchmark", "--no-process", "--wait", "--json"]


def s5cmd(card: Path, store: Store, *options: str) -> tuple[list[str], Mapping[str, str]]:
    """The command line that sends `card`, and its environment."""
    environment = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_CA_BUNDLE": str(store.certificate.cert) if store.certificate else "",
    }
    command = [peer("s5cmd"), "--endpoint-url", store.endpoint, "--log", "error", *options]
    return [*command, "cp", f"{card}/*", f"s3://{BUCKET}/card/"], environment


def rclone(card: Path, store: Store, *options: str) -> tuple[list[str], Mapping[str, str]]:
    """The command line that sends `card`, and its environment."""
    command = [peer("rclone"), "--config", os.devnull, "copy", str(card), f":s3:{BUCKET}/card", *options]
    command += ["--s3-provider", "Rclone", "--s3-endpoint", store.endpoint, "--s3-region", REGION]
    if store.certificate:
        command += ["--ca-cert", str(store.certificate.cert)]
    return command, {"RCLONE_S3_ACCESS_KEY_ID": ACCESS_KEY, "RCLONE_S3_SECRET_ACCESS_KEY": SECRET_KEY}
