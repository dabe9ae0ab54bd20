"""What was reached changes the hash, and what was not does not."""

import pytest

from coursekit.sources import Sources

FILES = {
    "kit/__init__.py": "from kit.deep import low\n",
    "kit/deep.py": "SIZE = 3\nTABLE = {}\n\ndef low(x):\n    return x + SIZE\n\ndef other():\n    return 1\n",
    "kit/mid.py": "from kit.deep import low\n\ndef middle(x):\n    return low(x)\n\ndef unused():\n    return 2\n",
    "make.py": "from kit.mid import middle\n\ndef make():\n    return middle(1)\n",
    "coursekit/__init__.py": "from coursekit.artifacts import load\n",
    "coursekit/artifacts.py": "def load(name):\n    return name\n",
    "coursekit/data/one.npz": "1",
    "coursekit/data/two.npz": "2",
}
BY_ALIAS = {"make.py": "from kit.mid import middle as m\n\ndef make():\n    return m(1)\n"}
BY_ATTRIBUTE = {"make.py": "from kit import mid\n\ndef make():\n    return mid.middle(1)\n"}
BY_ADDRESS = {"make.py": "import kit.mid\n\ndef make():\n    return kit.mid.middle(1)\n"}
BY_GETATTR = {"make.py": "from kit import mid\n\ndef make():\n    return getattr(mid, 'middle')(1)\n"}
BY_PACKAGE = {"make.py": "import kit\n\ndef make():\n    return kit.low(1)\n"}
BY_STAR = {"make.py": "from kit.mid import *\n\ndef make():\n    return middle(1)\n"}
INSIDE = {"make.py": "def make():\n    from kit.mid import middle\n    return middle(1)\n"}
WAYS = [{}, BY_ALIAS, BY_ATTRIBUTE, BY_ADDRESS, BY_GETATTR, BY_PACKAGE, BY_STAR, INSIDE]


@pytest.fixture
def made_by(tmp_path):
    """The hash of `make` in a tree of FILES, but for those that are given; None takes one away."""
    def hash_of(changed, module="make"):
        for name, text in (FILES | changed).items():
            (tmp_path / name).unlink(missing_ok=True)
            if text is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text)
        return Sources(tmp_path).hash_of(module, "make")
    return hash_of


def replaced(name, old, new, files=FILES):
    """The files, with another text in one of them."""
    assert old in (FILES | files)[name]
    return files | {name: (FILES | files)[name].replace(old, new)}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_reached_counts_however_it_is_imported(made_by, way):
    assert made_by(replaced("kit/deep.py", "x + SIZE", "x * SIZE", way)) != made_by(way)
    assert made_by(replaced("kit/deep.py", "SIZE = 3", "SIZE = 4", way)) != made_by(way)


@pytest.mark.parametrize("way", [{}, BY_ALIAS, BY_ATTRIBUTE, BY_ADDRESS, BY_PACKAGE, INSIDE])
def test_a_function_that_is_not_reached_does_not_count(made_by, way):
    changed = replaced("kit/mid.py", "return 2", "return 3", replaced("kit/deep.py", "return 1", "return 0", way))
    assert made_by(changed) == made_by(way)


@pytest.mark.parametrize("way", [BY_GETATTR, BY_STAR])
def test_a_module_that_is_asked_for_any_name_counts_whole(made_by, way):
    assert made_by(replaced("kit/mid.py", "return 2", "return 3", way)) != made_by(way)


def test_comments_docstrings_and_layout_do_not_count(made_by):
    written_otherwise = '"""Low."""\nSIZE = (3)  # three\n\ndef low(x):\n    """x."""\n    return (x\n        + SIZE)\n'
    assert made_by({"kit/deep.py": written_otherwise}) == made_by({})


def test_a_module_may_move(made_by):
    moved = {"kit/mid.py": None, "kit/new.py": FILES["kit/mid.py"]}
    assert made_by(replaced("make.py", "kit.mid", "kit.new", moved)) == made_by({})


def test_the_number_zero_is_not_false(made_by):
    assert made_by({"make.py": "make = 0\n"}) != made_by({"make.py": "make = False\n"})


def test_two_functions_of_one_name_do_not_stand_in_for_each_other(made_by):
    both = {"kit/two.py": "def low(x):\n    return -x\n",
            "make.py": "from kit import deep, two\nfrom kit.deep import low\n\n"
                       "def make():\n    return low(1), two.low(1), deep.low(1)\n"}
    assert made_by(replaced("make.py", "kit.deep import low", "kit.two import low", both)) != made_by(both)


@pytest.mark.parametrize("statement", [
    "TABLE['a'] = {}", "TABLE.update(a={})", "for TABLE['a'] in [{}]: pass", "if True: TABLE['a'] = {}",
    "@TABLE.setdefault\ndef f():\n    return {}",
])
def test_a_statement_counts_that_runs_whatever_is_used(made_by, statement):
    def with_value(value):
        return made_by({"kit/deep.py": FILES["kit/deep.py"] + statement.format(value) + "\n"})
    statement = statement.replace("{}", "{0}")
    assert with_value(1) != with_value(2)


@pytest.mark.parametrize("binding", ["A, (B, *SIZE) = 1, (2, {0})", "SIZE = [1]\nSIZE += [{0}]", "SIZE: list = {0}"])
def test_a_name_may_be_bound_in_any_way(made_by, binding):
    def with_value(value):
        return made_by(replaced("kit/deep.py", "SIZE = 3", binding.format(value)))
    assert with_value(1) != with_value(2)


def test_a_decorator_counts(made_by):
    decorated = {"make.py": "from kit.deep import low\n\n@low\ndef make():\n    return 1\n"}
    assert made_by(replaced("kit/deep.py", "x + SIZE", "x * SIZE", decorated)) != made_by(decorated)


def test_a_method_counts(made_by):
    in_class = {"make.py": "from kit.deep import low\n\nclass make:\n    def f(self):\n        return low(1)\n"}
    assert made_by(replaced("make.py", "low(1)", "low(2)", in_class)) != made_by(in_class)
    assert made_by(replaced("kit/deep.py", "x + SIZE", "x * SIZE", in_class)) != made_by(in_class)


def test_which_function_of_others_is_used_counts(made_by):
    borrowed = {"make.py": "from math import sin as make\n"}
    assert made_by(replaced("make.py", "sin", "cos", borrowed)) != made_by(borrowed)


def test_modules_may_import_each_other_and_themselves(made_by):
    circle = {"kit/__init__.py": "from kit import deep\nfrom kit.mid import low\n",
              "kit/deep.py": "from kit import deep, low\n\nhigh = low\n",
              "kit/mid.py": "from kit.deep import low, high\n\ndef middle(x):\n    return low, high, deep\n"}
    assert made_by(circle) != made_by({})


def test_the_bytes_of_an_artifact_that_is_loaded_count_and_no_others(made_by):
    loads = {"make.py": "import coursekit\n\ndef make():\n    return coursekit.load('one')\n"}
    assert made_by(loads | {"coursekit/data/two.npz": "!"}) == made_by(loads)
    assert made_by(loads | {"coursekit/data/one.npz": "!"}) != made_by(loads)


@pytest.mark.parametrize("use", ["load(name)", "map(load, name)", "load(name='one')"])
def test_where_it_is_not_said_which_artifact_is_loaded_all_count(made_by, use):
    loads = {"make.py": f"from coursekit import load\n\ndef make(name):\n    return {use}\n"}
    assert made_by(loads | {"coursekit/data/two.npz": "!"}) != made_by(loads)


def test_cells_count_as_what_they_reach(made_by, tmp_path):
    def hash_of_cells():
        return Sources(tmp_path).hash_of_cells("from kit.mid import middle", "%time middle(1)", "middle(1)")
    made_by({})
    before = hash_of_cells()
    made_by(replaced("kit/mid.py", "return 2", "return 3"))
    assert hash_of_cells() == before
    made_by(replaced("kit/deep.py", "x + SIZE", "x * SIZE"))
    assert hash_of_cells() != before


def test_a_cell_that_is_no_python_counts_as_it_stands(tmp_path):
    assert Sources(tmp_path).hash_of_cells("%time 1") != Sources(tmp_path).hash_of_cells("%time 2")


def test_another_checkout_has_the_same_hash(made_by, tmp_path):
    before = made_by({})
    tmp_path.rename(tmp_path.with_name("elsewhere"))
    assert Sources(tmp_path.with_name("elsewhere")).hash_of("make", "make") == before


def test_what_is_in_no_root_is_looked_for_in_the_next(made_by, tmp_path):
    expected, other = made_by({"make.py": None, "other/make.py": FILES["make.py"]}, "other.make"), tmp_path / "other"
    assert Sources(other, tmp_path).hash_of("make", "make") == expected


@pytest.mark.parametrize("asked", [("nowhere",), ("make", "nothing")])
def test_what_is_not_there_is_named(made_by, tmp_path, asked):
    made_by({})
    with pytest.raises(ValueError, match=f"expected a module below .* and names in it, got {' '.join(asked)}"):
        Sources(tmp_path).hash_of(*asked)
