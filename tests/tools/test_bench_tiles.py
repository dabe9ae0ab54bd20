"""The benchmark of tiles: that it compares like with like. What time it finds is for the machine to say."""

import numpy as np
import pytest

from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention
from tools import bench_tiles
from tools.bench_tiles import at_once, main, peak


def test_all_at_once_is_attention_in_float32():
    Q, K, V = np.random.default_rng(0).standard_normal((3, 7, 4), dtype=np.float32)
    assert at_once(Q, K, V).dtype == np.float32
    np.testing.assert_allclose(at_once(Q, K, V), scaled_dot_product_attention(Q, K, V)[0], rtol=1e-5)


def test_the_peak_is_what_a_call_has_at_one_time():
    assert 10_000 <= peak(lambda: [np.ones(10_000, np.uint8) for _ in range(1)]) < 15_000
    assert 80_000 <= peak(lambda: np.ones(10_000) + 1 - np.ones(10_000)) < 300_000


@pytest.mark.parametrize(("limit", "code"), [(np.inf, 0), (0, 1)])
def test_the_last_line_is_the_ratio_and_the_exit_code_says_whether_it_is_kept(monkeypatch, capsys, limit, code):
    monkeypatch.setattr(bench_tiles, "N", 256)
    monkeypatch.setattr(bench_tiles, "TILE", (16, 16))
    monkeypatch.setattr(bench_tiles, "SLOWER", limit)
    monkeypatch.setattr(bench_tiles, "SMALLER", 1)
    assert main(["--repeats=1"]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith("ratio: ")
