"""The tables [hooks] of the settings file."""

from __future__ import annotations

import tomllib

import pytest

from tui_uploader.errors import UsageError
from tui_uploader.hook_settings import HookSettings, hooks_in, secrets_of
from tui_uploader.model.hooks import HookEvent, HookKind


def hooks(text: str) -> tuple[HookSettings, ...]:
    return hooks_in(tomllib.loads(text))


def test_without_the_table_there_are_none() -> None:
    assert hooks("profile = 'x'") == ()


def test_one_table_may_name_several_ways_which_share_events_and_time_limit() -> None:
    told = hooks(
        """
        [hooks]
        command = ["/opt/told.sh", "--all"]
        webhook = "https://anna:secret@example.org:8443/told/XYZ?key=1"
        notify = ["mailto://anna:secret@example.org", "NTFYS://ntfy.sh/my-flights"]
        events = ["card_safe", "complete"]
        seconds = 5
        """
    )
    assert [(hook.kind, hook.name) for hook in told] == [
        (HookKind.COMMAND, "told.sh"),
        (HookKind.WEBHOOK, "example.org"),
        (HookKind.SERVICE, "mailto"),
        (HookKind.SERVICE, "ntfys"),
    ]
    assert {hook.events for hook in told} == {(HookEvent.COMPLETE, HookEvent.CARD_SAFE)}
    assert {hook.seconds for hook in told} == {5.0}
    assert told[0].command == ("/opt/told.sh", "--all")
    assert "secret" not in repr(told)
    assert "XYZ" not in repr(told)


def test_several_tables_and_names_that_differ() -> None:
    told = hooks('[[hooks]]\ncommand = ["/a/told"]\n[[hooks]]\ncommand = ["/b/told"]\nnotify = "ntfy://localhost/x"')
    assert [hook.name for hook in told] == ["told", "told (2)", "ntfy"]
    assert all((hook.events, hook.seconds) == (tuple(HookEvent), 30.0) for hook in told)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("hooks = 1", "must be a table"),
        ("hooks = ['x']", "must be a table"),
        ("[hooks]", "names nothing to tell"),
        ("[hooks]\nseconds = 3", "names nothing to tell"),
        ("[hooks]\nwebook = 'https://x'", "has no setting `webook`"),
        ("[hooks]\ncommand = '/bin/told --all'", "No shell runs it"),
        ("[hooks]\ncommand = []", "must be a list of texts"),
        ("[hooks]\ncommand = ['/bin/told', 3]", "must be a list of texts"),
        ("[hooks]\ncommand = ['']", "must begin with the path of a program"),
        ("[hooks]\ncommand = ['/bin/']", "must begin with the path of a program"),
        ('[hooks]\ncommand = ["/bin/told", "a\\u0000b"]', "no zero bytes"),
        ("[hooks]\nwebhook = 'ftp://example.org/Secret0'", "must be a web address"),
        ("[hooks]\nwebhook = 'https:///Secret0'", "must be a web address"),
        ("[hooks]\nwebhook = 'https://[Secret0'", "must be a web address"),
        ("[hooks]\nwebhook = 'https://example.org:0/Secret0'", "must be a web address"),
        ("[hooks]\nwebhook = 'https://example.org:Secret0'", "must be a web address"),
        ('[hooks]\nwebhook = "https://example.org/Secret0\\u000ax"', "must be a web address"),
        ("[hooks]\nwebhook = ['https://example.org']", "must be a web address"),
        ("[hooks]\nnotify = ['Secret0']", "must be a list of addresses"),
        ("[hooks]\nnotify = [3]", "must be a list of addresses"),
        ("[hooks]\nnotify = 3", "must be a list of addresses"),
        ("[hooks]\ncommand = ['/a']\nevents = ['done']", "must be a list of some of these: complete, failed"),
        ("[hooks]\ncommand = ['/a']\nevents = []", "must be a list of some of these"),
        ("[hooks]\ncommand = ['/a']\nevents = 'complete'", "must be a list of some of these"),
        ("[hooks]\ncommand = ['/a']\nseconds = 0", "must be a number"),
        ("[hooks]\ncommand = ['/a']\nseconds = true", "must be a number"),
        ("[hooks]\ncommand = ['/a']\nseconds = nan", "must be a number"),
        ("[hooks]\ncommand = ['/a']\nseconds = '30'", "must be a number"),
    ],
)
def test_what_is_wrong_is_said_without_quoting_an_address(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        hooks(text)
    assert part in str(caught.value)
    assert "Secret0" not in str(caught.value)


def test_passwords_and_tokens_of_addresses_are_secrets_and_names_of_hosts_are_none() -> None:
    found = set(
        secrets_of(
            hooks(
                """
                [[hooks]]
                webhook = "https://anna:pa%20ss@hooks.example.org/services/T00000000/XXYYZZ12345678?key=abcdefgh&n=1"
                [[hooks]]
                notify = ["tgram://123456789:ABCDEF-token/12345", "mailto://anna:hush@gmail.example"]
                """
            )
        )
    )
    assert found >= {"pa%20ss", "pa ss", "T00000000", "XXYYZZ12345678", "abcdefgh", "123456789:ABCDEF-token", "hush"}
    assert not found & {"hooks.example.org", "gmail.example", "anna", "services"}
