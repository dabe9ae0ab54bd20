"""Lab 15's reference against what others wrote: Whisper's filters, and ONNX's own implementation of its operators."""

import os

import numpy as np
import pytest

from solutions.lab15_images_and_sound import reference
from tests import needs

SIZES = {"mel_80": 80, "mel_128": 128}


def run(operator, *inputs, **attributes):
    """What ONNX's reference implementation of an operator returns."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    given = {f"x{i}": np.asarray(value) for i, value in enumerate(inputs) if value is not None}
    names = [f"x{i}" if f"x{i}" in given else "" for i in range(len(inputs))]
    node = helper.make_node(operator, names, ["y"], **attributes)
    types = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
             for name, value in given.items()]
    result = helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)
    model = helper.make_model(helper.make_graph([node], operator, types, [result]))
    return ReferenceEvaluator(model).run(None, given)[0].astype(float)


def power(spectrum):
    """The squared size of (..., 2), real and imaginary parts."""
    return spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2


@needs.mel_filters
@pytest.mark.parametrize("name", SIZES)
def test_the_filters_are_whispers(name):
    with np.load(os.environ["MEL_FILTERS"]) as theirs:
        np.testing.assert_allclose(reference.mel_filters(SIZES[name], 400, 16000), theirs[name], rtol=0, atol=1e-8)


@needs.onnx
def test_log_mel_is_the_logarithm_of_onnxs_short_time_fourier_transform_under_its_periodic_hann_window():
    signal = np.random.default_rng(2).normal(size=70)
    hann = run("HannWindow", np.int64(16), periodic=1, output_datatype=11)  # float64
    theirs = power(run("STFT", signal[None, :, None], np.int64(7), hann, np.int64(16), onesided=1))[0]
    np.testing.assert_allclose(np.exp(reference.log_mel(signal, 16, 7, np.eye(9))), theirs, rtol=1e-5, atol=1e-9)


@needs.onnx
def test_a_frame_of_an_odd_length_has_the_power_of_onnxs_discrete_fourier_transform():
    signal = np.random.default_rng(3).normal(size=15)
    hann = run("HannWindow", np.int64(15), periodic=1, output_datatype=11)
    theirs = power(run("DFT", (signal * hann)[None, :, None], None, np.int64(1), onesided=1))[0]
    np.testing.assert_allclose(np.exp(reference.log_mel(signal, 15, 15, np.eye(8)))[0], theirs, rtol=1e-5, atol=1e-9)


@needs.onnx
def test_onnxs_own_filters_are_others():
    """On HTK's scale, from column to column, and not divided by anything: chapter 15 says so in an aside."""
    args = (np.int64(each) for each in (8, 16, 8192))
    theirs = run("MelWeightMatrix", *args, np.float32(0), np.float32(4096)).T
    ours = reference.mel_filters(8, 16, 8192)
    assert theirs.shape == ours.shape and theirs.max() == 1 and ours.max() < 0.01
