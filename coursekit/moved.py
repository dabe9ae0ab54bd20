"""Modules that had another name when the first notebooks were given out, and a sentence for who still imports one."""

import sys

NOW = {  # the old name in coursekit: the new one, or several where it was split
    "bleu": "tasks.bleu",
    "date_trainer": "trainers.dates",
    "dates": "tasks.dates",
    "lstm": "layers.lstm",
    "luong_trainer": "trainers.luong",
    "luong_translator": "models.luong",
    "phrase_trainer": "trainers.phrases",
    "phrase_translator": "models.phrases",
    "phrases": "tasks.phrases",
    "pointer": "models.pointer tasks.keyed_digits trainers.pointer",
    "recurrent": "layers.recurrent",
    "senses": "tasks.senses",
    "transformer": "layers.transformer models.transformer tasks.tokens",
    "transformer_trainer": "trainers.transformer",
    "translator": "models.dates",
}


class Signpost:
    """Python asks it, as the last of its finders, for a module that none of the others has found."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        package, _, module = name.partition(".")
        if package == "coursekit" and module in NOW:
            now = " and ".join(f"coursekit.{each}" for each in NOW[module].split())
            # without a `name`: one that has it is swallowed in `from coursekit import pointer`
            raise ModuleNotFoundError(f"{name} is {now} now: change the import, or take the notebook anew")


sys.meta_path.append(Signpost)
