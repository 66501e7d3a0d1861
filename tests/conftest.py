"""What every test run needs, whichever process runs the tests."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tui_uploader import settings
from tui_uploader.cloud.net import proxies


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write out bytes of captured output that are no UTF-8: a worker process cannot send them to the main one."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """The process knows the secrets of proxies and of the environment's login to its end, and takes them out of every
    sentence: also of another test's."""
    yield
    proxies._secrets.clear()
    settings._secrets.clear()
