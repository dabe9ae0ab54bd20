"""Mutants of lab 12 that keep all points, and why that is right."""

MESSAGE = "It refuses what it should, and names another number in its message: no points depend on that."

SURVIVORS = {
    "train_bpe": {"2: vocab_size → text": MESSAGE},
    "decode": {"3: vocab → ids": MESSAGE},
    "bits_per_byte": {"3: vocab → ids": MESSAGE},
}
