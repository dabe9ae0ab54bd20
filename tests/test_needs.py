"""What a test needs is skipped with a reason on a person's machine, and never in CI."""

from tests.needs import needs


def test_what_is_missing_is_skipped_with_its_reason(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    skip = needs(None, "a teapot").mark
    assert skip.args == (True,) and skip.kwargs == {"reason": "needs a teapot"}


def test_what_is_there_is_not_skipped(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert needs("/a/teapot", "a teapot").mark.args == (False,)


def test_nothing_is_skipped_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert needs(None, "a teapot").mark.args == (False,)
