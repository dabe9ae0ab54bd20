"""What the three recurrent translators share: their parameters fit each other, or the one that does not is named."""

import numpy as np
import pytest

from coursekit.models import dates, luong, phrases

X, H, D, A = 3, 4, 5, 6
MODELS = [
    (dates.DateTranslator, dates.parameter_shapes(X, H, D, A)),
    (phrases.PhraseTranslator, phrases.parameter_shapes(X, H, D, A)),
    (phrases.PhraseTranslator, phrases.parameter_shapes(X, H, D)),
    (luong.LuongTranslator, luong.parameter_shapes(X, H, D, {"W": (D, 2 * H)})),
]
of_each = pytest.mark.parametrize(("model", "shapes"), MODELS, ids=["dates", "phrases", "one vector", "luong"])


def zeros(shapes):
    return {name: np.zeros(shape) for name, shape in shapes.items()}


@of_each
def test_parameters_that_fit_are_taken_and_others_left_alone(model, shapes):
    translator = model(zeros(shapes) | {"about.seed": np.array(3)})
    memory, mask = translator.read(["3 5", "3"] if model is dates.DateTranslator else ["the cat .", "the ."])
    assert memory.shape == (*mask.shape, 2 * H) and not memory.any() and mask.sum(axis=1)[0] == mask.shape[1]


@of_each
def test_a_missing_parameter_is_named(model, shapes):
    for name in ("decoder.c", "readout.b", "source_embedding"):
        with pytest.raises(ValueError, match=f"expected the parameters of a {model.__name__}, got none called {name}"):
            model({other: array for other, array in zeros(shapes).items() if other != name})


def test_attention_is_missing_to_a_translator_that_cannot_do_without():
    arrays = zeros(dates.parameter_shapes(X, H, D, A))
    del arrays["attention.v"]
    with pytest.raises(ValueError, match=r"got none called attention\.v"):
        dates.DateTranslator(arrays)


@of_each
def test_a_matrix_that_lies_on_its_side_is_named(model, shapes):
    for name in (name for name, shape in shapes.items() if len(shape) == 2 and name != "W"):
        arrays = zeros(shapes)
        arrays[name] = arrays[name].T
        with pytest.raises(ValueError) as failure:
            model(arrays)
        assert str(failure.value).startswith(f"{name}: expected {shapes[name]} for X, H, D = (3, 4, 5), got ")
