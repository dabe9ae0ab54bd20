"""The pages name the wheel that is on the site."""

from types import SimpleNamespace

import pytest

from tools.browser import name_wheel, ship


@pytest.fixture
def course(tmp_path):
    """A course with a release, whose wheel is none."""
    for folder in ("release", "chapters/data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "release" / "coursekit-7-py3-none-any.whl").touch()
    return tmp_path


def named(course):
    """What the template of the pages is told."""
    config = SimpleNamespace(html_context={})
    name_wheel(SimpleNamespace(srcdir=course), config)
    return config.html_context["coursekit_wheel"]


def test_the_pages_name_the_wheel_that_is_shipped(course):
    assert ship(course, course / "site") == course / "site" / named(course)


def test_before_a_release_the_pages_name_none_and_none_is_shipped(course):
    (course / "release" / "coursekit-7-py3-none-any.whl").unlink()
    assert named(course) == ""
    with pytest.raises(FileNotFoundError, match="run `make release` first"):
        ship(course, course / "site")
