"""A cloud whose objects go to another store: `rclone serve s3` in the place of Amazon S3 behind PIX4Dcloud.

A process of its own, so that its cost is in no measurement. Prints one line of JSON when it listens, and runs until it
is terminated.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from benchmarks.store import ACCESS_KEY, BUCKET, LOOPBACK, REGION, SECRET_KEY
from tests.wire.joined_cloud import joined_cloud


async def serve(root: Path, endpoint: str, host: str, certificate: Path | None, private_key: Path | None) -> None:
    credentials = {
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "session_token": "",
        "bucket": BUCKET,
        "region": REGION,
        "endpoint_override": endpoint.rpartition("/")[2],
    }
    cloud = joined_cloud(root, lambda: credentials, host=host, certificate=certificate, private_key=private_key)
    async with cloud as login:
        address = {"url": login.cloud_url, "client_id": login.client_id, "client_secret": login.client_secret}
        print(json.dumps(address), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    given = parser.parse_args()
    asyncio.run(serve(given.root, given.endpoint, given.host, given.tls_cert, given.tls_key))


if __name__ == "__main__":
    main()
