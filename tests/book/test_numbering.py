"""A chapter's file has the number that the book shows for it."""

import re

import yaml


def numbered(root):
    """The numbered chapters in their order, as _toc.yml lists them."""
    parts = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    return [chapter["file"] for part in parts if part.get("numbered") for chapter in part["chapters"]]


def test_chapters_are_listed_in_the_order_of_their_numbers(root):
    numbers = [re.match(r"chapters/(\d\d)_", file)[1] for file in numbered(root)]
    assert [int(number) for number in numbers] == list(range(1, len(numbers) + 1))


def test_every_file_with_a_number_is_a_chapter_with_one(root):
    files = {path.relative_to(root).with_suffix("").as_posix() for path in root.glob("chapters/[0-9]*.md")}
    assert files == set(numbered(root))


def test_the_number_that_a_page_shows_is_its_file_s(root, pages):
    shown = {file: pages[f"{file}.html"].select_one("h1 .section-number").text for file in numbered(root)}
    assert {file: int(number.strip(" .")) for file, number in shown.items()} == {
        file: int(file[9:11]) for file in numbered(root)}
