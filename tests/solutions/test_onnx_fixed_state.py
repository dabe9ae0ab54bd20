"""The references of lab 18 on ONNX's own cases of LinearAttention and CausalConvWithState.

What these operators do besides, a scale, heads side by side, a bias and an activation, an adapter does around them.
"""

import numpy as np

from solutions.lab18_fixed_state import reference
from tests import needs
from tests.solutions import test_onnx


@needs.onnx
def test_linear_attention_passes_onnxs_cases():
    found = list(test_onnx.cases("LinearAttention", "linear_attention"))
    assert len(found) == 14
    for name, given, wanted, told in found:
        assert_near(name, linear_attention(given, told), wanted)


@needs.onnx
def test_the_convolution_passes_onnxs_cases():
    found = list(test_onnx.cases("CausalConvWithState", "causal_conv_with_state"))
    assert len(found) == 13
    for name, given, wanted, told in found:
        assert_near(name, causal_conv(given, told), wanted)


def assert_near(name, answers, wanted):
    for output, right in wanted.items():
        off = test_onnx.TOLERANCE[right.dtype.name]
        what = f"{name}: {output}"
        np.testing.assert_allclose(answers[output], right.astype(float), rtol=off, atol=off, err_msg=what)


# The adapters


def linear_attention(given, told):
    """{output: array} of the operator, in float64."""
    wide = {name: array.astype(float) for name, array in given.items()}
    H, G = told["q_num_heads"], told["kv_num_heads"]
    q, k, v = (test_onnx.split(wide[name], heads) for name, heads in (("query", H), ("key", G), ("value", G)))
    more = {"decay": test_onnx.split(wide["decay"], G)} if "decay" in wide else {}
    if "beta" in wide:
        more["beta"] = np.broadcast_to(wide["beta"], (*wide["beta"].shape[:2], G)).swapaxes(1, 2)[..., None]
    rule = told.get("update_rule", b"gated_delta").decode()
    output, state = reference.linear_attention(q * (told.get("scale") or q.shape[-1]**-0.5), k, v,
                                               wide.get("past_state"), **more, rule=rule)
    return {"output": output.swapaxes(1, 2).reshape(*wide["query"].shape[:2], -1), "present_state": state}


def causal_conv(given, told):
    """The same of the convolution, whose weights have an axis more."""
    wide = {name: array.astype(float) for name, array in given.items()}
    y, state = reference.causal_conv(wide["input"], wide["weight"][:, 0], wide.get("past_state"))
    y = y + wide.get("bias", np.zeros(1))[:, None]
    y = y / (1 + np.exp(-y)) if told.get("activation") in (b"silu", b"swish") else y
    return {"output": y, "present_state": state}
