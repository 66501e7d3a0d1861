"""A cloud whose objects go to another store: what PIX4Dcloud is, with `rclone serve s3` in Amazon's place.

A process of its own, so that its cost is in nobody's figures. Prints one line of JSON when it listens.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from benchmarks.store import ACCESS_KEY, BUCKET, LOOPBACK, REGION, SECRET_KEY
from tui_uploader.local_cloud.options import ExternalS3, LocalCloudOptions
from tui_uploader.local_cloud.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    arguments = parser.parse_args()
    options = LocalCloudOptions(
        root=arguments.root,
        host=arguments.host,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        external_s3=ExternalS3(arguments.endpoint, ACCESS_KEY, SECRET_KEY, REGION, BUCKET),
    )
    asyncio.run(serve(options, lambda address: print(address.as_json(), flush=True)))


if __name__ == "__main__":
    main()
