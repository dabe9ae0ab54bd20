"""The references of labs 14 and 16 on the cases by which ONNX judges every runtime: those of its operators' own tests.

An adapter puts into masks what the operator Attention is told otherwise: windows, pasts, how many keys are real. Scores
that it also returns, half done, are its own affair and are passed over; weights are compared. Windows are lab 16's.
"""

import importlib
import re
import warnings
from pathlib import Path

import numpy as np

from solutions.lab05_scaled_dot_product.reference import causal_mask
from solutions.lab14_real_weights import reference
from solutions.lab16_tiles_and_windows.reference import rolling_write, tiled_attention, window_mask
from tests import needs

TOLERANCE = {"float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}  # of what they return


def cases(operator, module=None):
    """(name, {input: array}, {output: array}, {attribute: value}) of each of ONNX's cases of an operator.

    They are collected where a module is imported, so its own alone is: all of them take half a minute. It is called
    like the operator in small letters, or as is said.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = importlib.import_module("onnx.backend.test.case.node")
        importlib.import_module(f"onnx.backend.test.case.node.{module or operator.lower()}")
        from onnx.helper import get_attribute_value

    for case in node._NodeTestCases:
        nodes = case.model.graph.node
        if [each.op_type for each in nodes] == [operator]:
            (inputs, outputs), = case.data_sets
            named = [dict(zip(filter(None, names), arrays, strict=True))
                     for names, arrays in ((nodes[0].input, inputs), (nodes[0].output, outputs))]
            yield case.name, *named, {each.name: get_attribute_value(each) for each in nodes[0].attribute}


@needs.onnx
def test_rms_norm_passes_onnxs_cases():
    found = list(cases("RMSNormalization"))
    assert len(found) == 19
    for name, given, wanted, told in found:
        x, gamma, axis = given["X"], given["W"], told.get("axis", -1)
        rows = x.reshape(*x.shape[:axis], -1)
        output = reference.rms_norm(rows, gamma.reshape(-1), told.get("epsilon", 1e-5))
        np.testing.assert_allclose(output.reshape(x.shape), wanted["Y"], rtol=1e-5, atol=1e-6, err_msg=name)


@needs.onnx
def test_grouped_attention_passes_onnxs_cases():
    found = list(cases("Attention"))
    assert len(found) == 93
    for name, given, wanted, told in found:
        answers = attention(given, told)
        for output in answers.keys() & wanted.keys():
            right, off = wanted[output].astype(float), TOLERANCE[wanted[output].dtype.name]
            np.testing.assert_allclose(answers[output], right, rtol=off, atol=off, err_msg=f"{name}: {output}")


@needs.onnx
def test_attention_in_tiles_passes_onnxs_cases_windowed_ones_too():
    found = [case for case in cases("Attention")
             if not case[3].get("softcap") and case[1].get("attn_mask", np.array(True)).dtype == bool]
    assert (len(found), sum("left_window_size" in told for *_, told in found)) == (44, 6)
    for name, given, wanted, told in found:
        output = attention(given, told, in_tiles)["Y"]
        off = TOLERANCE[wanted["Y"].dtype.name]
        np.testing.assert_allclose(output, wanted["Y"].astype(float), rtol=off, atol=off, err_msg=name)


def in_tiles(Q, K, V, mask, softcap):
    """`grouped_attention` without numbers that are added, weights and a cap, by lab 16's tiles of 2 × 3."""
    K, V = (np.repeat(each, Q.shape[1] // each.shape[1], axis=1) for each in (K, V))
    return tiled_attention(Q, K, V, 2, 3, np.broadcast_to(mask == 0, (*Q.shape[:-1], K.shape[-2])))


@needs.onnx
def test_rolling_write_passes_onnxs_cases_of_a_cache():
    found = list(cases("TensorScatter"))
    assert len(found) == 3
    for name, given, wanted, _ in found:
        written = rolling_write(given["past_cache"], given["update"], given["write_indices"])
        np.testing.assert_array_equal(written, wanted["present_cache"], name)


# The adapter


def attention(given, told, attend=reference.grouped_attention):
    """{output: array} of the operator, in float64; what it returns of scores, only where these are the weights."""
    wide = {name: array.astype(float) if array.dtype.name in TOLERANCE else array for name, array in given.items()}
    Q, K, V = (split(wide[name], told.get(f"{of}_num_heads")) for name, of in (("Q", "q"), ("K", "kv"), ("V", "kv")))
    past = wide["past_key"].shape[2] if "past_key" in wide else 0
    if past:
        K, V = (np.concatenate([wide[f"past_{name}"], new], axis=2) for name, new in (("key", K), ("value", V)))
    root = Q.shape[-1] ** 0.5
    output, weights = attend(Q * told.get("scale", 1 / root) * root, K, V,
                             mask_of(wide, told, Q.shape[2], K.shape[2], past), told.get("softcap") or None)
    if wide["Q"].ndim == 3:
        output = output.swapaxes(1, 2).reshape(*wide["Q"].shape[:2], -1)
    found = {"Y": output, "present_key": K, "present_value": V}
    return found | ({"qk_matmul_output": weights} if told.get("qk_matmul_output_mode") == 3 else {})


def split(x, heads):
    """(B, T, heads d) to (B, heads, T, d), where the heads do not have an axis yet."""
    return x if x.ndim == 4 else x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def mask_of(given, told, T, S, past):
    """What is added to the scores (B or 1, 1 or H, T, S): 0 or a bias where one may look, else -inf."""
    real = given.get("nonpad_kv_seqlen")
    first = np.atleast_1d(past if real is None else real - T)                      # where the first query stands
    place, key = first[:, None, None] + np.arange(T)[:, None], np.arange(S)        # (B, T, 1), (S,)
    left, right = told.get("left_window_size", -1), told.get("right_window_size", -1)
    seen = (key > place) | (np.stack([window_mask(T, S, left + 1, each) for each in first]) if left >= 0 else True)
    seen &= (key <= place + right) | (right < 0)
    if told.get("is_causal"):
        seen = seen & np.stack([causal_mask(T, S, each) for each in first])
    if real is not None:
        seen = seen & (key < real[:, None, None])
    return np.where(seen[:, None], bias_of(given.get("attn_mask"), S), -np.inf)


def bias_of(mask, S):
    """The operator's own mask as numbers, -inf for keys beyond its end."""
    if mask is None:
        return 0.0
    bias = np.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask
    beyond = [(0, 0)] * (bias.ndim - 1) + [(0, S - bias.shape[-1] if bias.shape[-1] > 1 else 0)]
    return np.pad(bias, beyond, constant_values=-np.inf)


# What the front page says of them


SAID = re.compile(r"^\| ONNX \| `(\w+)`.*\| (\d+) of (\d+) \|$", re.MULTILINE)
MODULES = {"LinearAttention": "linear_attention", "CausalConvWithState": "causal_conv_with_state"}


@needs.onnx
def test_the_front_page_counts_the_cases_that_pass_here():
    said = SAID.findall((Path(__file__).parents[2] / "index.md").read_text(encoding="utf-8"))
    counted = {operator: len(list(cases(operator, MODULES.get(operator)))) for operator, *_ in said}
    assert len(said) == 5 and all(int(passed) == int(of) == counted[operator] for operator, passed, of in said)
