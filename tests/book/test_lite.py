"""The labs in a browser: they are there with their data, keep what was written, and say what goes wrong."""

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import v4
from playwright.sync_api import expect

from grading.lab import Lab, names
from tests import needs
from tests.book.conftest import CDN, CHROMIUM, served
from tests.book.desk import START, Desk, shown
from tools import lite

ROOT = Path(__file__).parents[2]
LABS = names(ROOT / "labs")
READING = """\
import numpy as np
print(np.load("words.npz")["ids"], len(open("more/bytes.bin", "rb").read()))"""
KEEPING = "from coursekit import keep\n\ndef halve(x):\n    return x / 2\n\nkeep(halve)"
KEPT = "from coursekit import kept\n\ndef halve(x):\n    return x\n\nassert kept(halve)(4) == 2"


@contextmanager
def profile(browser, folder):
    """A browser whose storage stays on disk; leaving the block closes the whole browser."""
    context = browser.browser_type.launch_persistent_context(
        folder / "profile", executable_path=needs.chromium_path(), args=CHROMIUM, accept_downloads=True)
    yield context
    context.close()


def small(source):
    """A notebook of one cell."""
    return v4.new_notebook(cells=[v4.new_code_cell(source)], metadata={"language_info": {"name": "python"}})


@pytest.fixture(scope="module")
def course(site, tmp_path_factory):
    """A course of one lab, which has data files, and its site, which has Pyodide in a folder of its own."""
    root = tmp_path_factory.mktemp("course")
    lab, wheels = root / "release" / "lab00_data", root / "site" / "_static" / "wheels"
    (lab / "more").mkdir(parents=True)
    nbformat.write(small(READING), lab / "lab00_data.ipynb")
    np.savez(lab / "words.npz", ids=np.arange(3))
    (lab / "more" / "bytes.bin").write_bytes(bytes(range(256)))
    (root / "_config.yml").write_text("sphinx: {config: {html_context: {pyodide_url: _static/pyodide}}}")
    shutil.copytree(site / "_static" / "wheels", wheels)
    lite.build(root, root / "site", next(wheels.iterdir()))
    return root


# What is there, without a browser.


def test_each_lab_is_there_as_it_was_released_and_its_data_files_beside_it(site):
    folder, release = site / "lite" / "files", ROOT / "release"
    notebooks = {f"{lab}.ipynb": (release / lab / f"{lab}.ipynb").read_bytes() for lab in LABS}
    data = {name: content for lab in LABS for name, content in Lab.read(release, lab).files.items()}
    there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert there == notebooks | data


def test_the_page_of_labs_opens_and_downloads_each_of_them(pages):
    links = {link["href"] for link in pages["chapters/labs.html"].select("main a[href]")}
    for lab in LABS:
        assert {f"../lite/notebooks/index.html?path={lab}.ipynb", f"../notebooks/{lab}.ipynb"} <= links


def test_each_lab_can_be_opened_from_its_chapter(pages):
    chapters = [page for name, page in pages.items() if name[:10].removeprefix("chapters/").isdigit()]
    links = [link["href"] for page in chapters for link in page.select("#lab a[href]")]
    assert sorted({link for link in links if "lite/notebooks" in link}) == [  # some lab is of two chapters
        f"../lite/notebooks/index.html?path={lab}.ipynb" for lab in LABS]


def test_nothing_is_asked_of_another_host_but_python(site):
    config = (site / "lite" / "jupyter-lite.json").read_text()
    assert config.replace(f"{CDN}pyodide.js", "").count("://") == 0


def test_a_setting_that_is_dropped_fails_the_build(site):
    wanted = lite.settings(CDN, "coursekit-9.9-py3-none-any.whl")
    with pytest.raises(RuntimeError, match="dropped loadPyodideOptions"):
        lite.expect(wanted, site / "lite")


def test_the_pyodide_of_the_setting_is_used():
    kernel = lite.settings("https://example.org/mine/", "kit.whl")["litePluginSettings"][lite.KERNEL]
    assert kernel["pyodideUrl"] == "https://example.org/mine/pyodide.js"


@pytest.mark.parametrize(("url", "named"), [("_static/pyodide", "./../_static/pyodide/"), ("/mine/", "/mine/"),
                                            ("https://example.org/mine", "https://example.org/mine/")])
def test_a_folder_of_the_site_is_named_from_the_labs(tmp_path, url, named):
    (tmp_path / "_config.yml").write_text(f"sphinx: {{config: {{html_context: {{pyodide_url: '{url}'}}}}}}")
    assert lite.pyodide(tmp_path) == named


def test_the_data_files_of_a_lab_are_beside_it_and_listed(course):
    for folder, expected in {".": ["lab00_data.ipynb", "more", "words.npz"], "more": ["bytes.bin"]}.items():
        listing = (course / "site" / "lite" / "api" / "contents" / folder / "all.json").read_text("utf-8")
        assert sorted(file["name"] for file in json.loads(listing)["content"]) == expected
    released = Lab.read(course / "release", "lab00_data").files
    assert {name: (course / "site" / "lite" / "files" / name).read_bytes() for name in released} == released


def release_of(folder, **data):
    """A release of labs that have a data file each, of one name: {lab: what it holds}."""
    for lab, content in data.items():
        (folder / lab).mkdir()
        (folder / lab / f"{lab}.ipynb").write_text("{}")
        (folder / lab / "words.npz").write_bytes(content)
    return folder


def test_two_labs_may_have_the_same_data_file(tmp_path):
    files = lite.side_by_side(release_of(tmp_path, lab00=b"words", lab01=b"words"))
    assert files.keys() == {"lab00.ipynb", "lab01.ipynb", "words.npz"}


def test_two_data_files_of_one_name_are_refused(tmp_path):
    with pytest.raises(RuntimeError, match=r"lab00/words\.npz and lab01/words\.npz differ"):
        lite.side_by_side(release_of(tmp_path, lab00=b"words", lab01=b"other words"))


def test_a_file_that_is_dropped_fails_the_build(site):
    with pytest.raises(RuntimeError, match=r"dropped build/words\.npz"):
        lite.expect_files({"build/words.npz": None}, site / "lite")


def test_labs_that_are_not_released_fail_the_build(tmp_path):
    with pytest.raises(RuntimeError, match="make release"):
        lite.build(tmp_path, tmp_path, tmp_path / "kit.whl")


# In a browser.


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_what_was_written_and_kept_is_there_after_a_restart(browser, address, tmp_path):
    with profile(browser, tmp_path) as context:
        desk = Desk(context, address)
        desk.given("lab00_warm_up", small(KEEPING))
        desk.open("lab00_warm_up")
        desk.run_all()
        desk.tab.locator(".jp-CodeCell .cm-content").first.click()
        desk.tab.keyboard.type("# my own words\n")  # and nobody presses Save
        desk.wait_until_stored("my own words")
        desk.wait_until_stored("kept by coursekit.keep")
        assert desk.tab.get_by_role("alert").filter(has_text="cannot store").count() == 0
    with profile(browser, tmp_path) as context:
        desk = Desk(context, address)
        desk.open("lab00_warm_up")
        assert "my own words" in desk.download(tmp_path).read_text("utf-8")
        desk.given("lab01_additive_attention", small(KEPT))
        desk.open("lab01_additive_attention")
        desk.run_all()
        notebook = nbformat.read(desk.download(tmp_path), as_version=4)
        assert shown(notebook.cells[0]).startswith("halve: yours, from my_attention.py, ")


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_a_lab_reads_its_data_files_and_python_may_come_from_a_folder_of_the_site(browser, course, tmp_path):
    (course / "site" / "_static" / "pyodide").symlink_to(os.environ["PYODIDE_DIST"])
    with served(course / "site") as address, browser.new_context(accept_downloads=True) as context:
        desk = Desk(context, address)
        context.route(f"{CDN}**", lambda route: route.abort())
        desk.open("lab00_data")
        desk.run_all()
        path = desk.download(tmp_path)
    assert path.name == "lab00_data.ipynb" and desk.strangers == []
    assert shown(nbformat.read(path, as_version=4).cells[0]) == "[0 1 2] 256\n"


@needs.chromium
def test_a_full_storage_is_said(reader, address):
    reader.context.route(f"{CDN}**", lambda route: route.abort())
    devtools = reader.context.new_cdp_session(reader)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": address, "quotaSize": 20_000})
    reader.goto("/lite/notebooks/index.html?path=lab00_warm_up.ipynb")
    expect(reader.get_by_role("alert").filter(has_text="cannot store")).to_be_visible(timeout=START)


@needs.chromium
@pytest.mark.parametrize("broken, says", [
    (None, "Python could not be loaded"),
    ("Object.defineProperty(window, 'indexedDB', {get() { throw new Error('blocked') }})", "cannot store"),
    ("delete window.WebAssembly", "too old"),
], ids=["cdn", "storage", "browser"])
def test_what_goes_wrong_is_said_in_a_plain_sentence(reader, broken, says):
    reader.context.route(f"{CDN}**", lambda route: route.abort())
    if broken:
        reader.add_init_script(broken)
    reader.goto("/lite/notebooks/index.html?path=lab00_warm_up.ipynb")
    expect(reader.get_by_role("alert").filter(has_text=says)).to_be_visible(timeout=START)
