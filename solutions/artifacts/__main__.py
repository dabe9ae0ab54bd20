"""Make every artifact anew: python -m solutions.artifacts, with OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1."""

from pathlib import Path

import coursekit
from solutions.artifacts import (
    ablations,
    date_curves,
    date_transformer,
    date_translator,
    depth,
    luong_translator,
    phrase_translator,
    pointer_curves,
    positions_by_length,
    sense_model,
    symptoms,
    transformer_translator,
)
from solutions.artifacts.store import save

MAKERS = {
    "date_translator": date_translator.make,
    "date_curves": date_curves.make,
    "pointer_curves": pointer_curves.make,
    "positions_by_length": positions_by_length.make,
    "quality_by_length": phrase_translator.make_quality,
    "quality_by_length_luong": luong_translator.make_quality,
    "luong_translator": luong_translator.make_translator,
    "phrase_one_vector": phrase_translator.make_one_vector,
    "sense_model": sense_model.make,
    "date_transformer": date_transformer.make,
    "quality_by_length_transformer": transformer_translator.make_quality,
    "ablations": ablations.make,
    "symptoms": symptoms.make,
    "depth": depth.make,
}


def main():
    folder = Path(coursekit.__file__).parent / "data"
    folder.mkdir(exist_ok=True)
    for name, make in MAKERS.items():
        arrays = make()
        path = folder / f"{name}.npz"
        save(path, arrays)
        facts = ", ".join(f"{key.removeprefix('about.')} {arrays[key]}" for key in arrays if key.startswith("about."))
        print(f"{path.name}: {path.stat().st_size} bytes, {facts}")


if __name__ == "__main__":
    main()
