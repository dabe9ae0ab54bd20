"""What a function that the caller brought returned, held to its contract: a mistake is named here, not ten lines on."""

import numpy as np

from coursekit.shapes import expect


def returned(part, answer, sizes=None, finite=False, **axes):
    """The results of `part`, if they are a tuple with one of these names and axes each; "" are axes of any number.

    sizes   the axes whose size is known, as `expect` takes them
    finite  may no result hold nan or inf?
    Raises ValueError with the name of the part, and of the result that does not fit.

    >>> returned("attend", (np.zeros((2, 4)), np.zeros((2, 3))), {"B": 2, "S": 5}, context="B E", weights="B S")
    Traceback (most recent call last):
    ValueError: weights from attend: expected (B, S) = (2, 5), got (2, 3)
    """
    if not isinstance(answer, tuple | list) or len(answer) != len(axes):
        got = f"{len(answer)} results" if isinstance(answer, tuple | list) else type(answer).__name__
        raise ValueError(f"{part}: expected a tuple ({', '.join(axes)}), got {got}")
    for (name, letters), result in zip(axes.items(), answer, strict=True):
        what = f"{name} from {part}"
        if letters:
            sizes = expect(sizes, **{what: (result, letters)})
        if finite and not np.isfinite(result).all():
            raise ValueError(f"{what}: contains nan or inf")
    return answer
