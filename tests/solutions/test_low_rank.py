"""What chapter 14 promises of corrections of low rank; `make gates` holds it for five seeds."""

from solutions.artifacts.low_rank import way


def test_one_row_and_one_column_go_most_of_the_way_and_four_nearly_all_of_it():
    one, four = (way(seed=5, rank=rank) for rank in (1, 4))
    assert 62 < one < 89 < four < 100
