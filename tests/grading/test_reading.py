"""A notebook's file is read however it was saved, and however much its cells showed."""

import json

import pytest

from grading.reading import SIZE_LIMIT, TOKENS, looks_like_notebook, parse, slimmed, without_outputs

NOTEBOOK = {"nbformat": 4, "metadata": {"name": "Größe 李 ∑"}, "cells": [{"cell_type": "code", "source": "x = 'ä'"}]}


def saved(encoding):
    return json.dumps(NOTEBOOK, ensure_ascii=False).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_every_unicode_encoding_is_read(encoding):
    data, problems, notices = parse(saved(encoding))
    assert data == NOTEBOOK and problems == [] and len(notices) == ("8" not in encoding)


def test_a_single_byte_that_is_not_utf8_costs_no_other_letter():
    data, problems, notices = parse(saved("utf-8").replace("ö".encode(), b"\xf6"))
    assert data == NOTEBOOK and problems == [] and "Windows-1252" in notices[0]


def noisy(outputs):
    cells = [{"cell_type": "code", "source": ['a = "]\\""\n', '"outputs": ["'], "outputs": outputs, "metadata": {}}]
    return {"metadata": {"kept": [1, {"2": "}"}]}, "cells": cells * 3, "nbformat": 4}


@pytest.mark.parametrize("outputs", [
    [], ["x"], ["\\\\"], [{}, [[]]], [{"text": ["]", '"', "\\", '\\"]']}], [{"outputs": [[]]}, {"a": {"outputs": []}}],
])
@pytest.mark.parametrize("indent", [None, 1])
def test_outputs_are_left_out_and_nothing_else_is(outputs, indent):
    slim = without_outputs(json.dumps(noisy(outputs), indent=indent).encode())
    assert json.loads(slim) == noisy([])


@pytest.mark.parametrize("broken", [b'{"outputs": [', b'{"outputs": ["]', b'"' + b'\\"' * 99, b"[" * 99, b""])
def test_what_is_no_json_stays_as_it_is(broken):
    assert without_outputs(broken) == broken


def test_a_file_of_very_many_brackets_is_not_looked_through():
    flood = b'{"outputs": []' + b"[" * (TOKENS + 1)
    assert without_outputs(flood) == flood


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_cells_showed_does_not_count_towards_the_size(encoding):
    large = json.dumps(noisy([{"data": {"image/png": "A" * SIZE_LIMIT}}])).encode(encoding)
    assert parse(slimmed(large))[0] == noisy([])


def test_what_is_too_large_without_outputs_is_told_in_megabytes():
    _, problems, _ = parse(slimmed(json.dumps({"cells": ["x" * (26 * 2**20)]}).encode()))
    assert problems == ["The file is too large: expected at most 20 MB without what its cells showed, got 26.0 MB."]


@pytest.mark.parametrize("content, is_one", [
    (saved("utf-8"), True), (saved("utf-16"), True), (saved("utf-8-sig"), True),
    (b'\n {"cells": [], "nbformat": 3}', True), (b'{"cells": []}', False), (b'"cells" "nbformat"', False), (b"", False),
])
def test_a_notebook_is_known_by_how_it_begins_and_what_it_says(content, is_one):
    assert looks_like_notebook(content) == is_one
