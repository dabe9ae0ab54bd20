"""What a worker process of `python -m grading grade` needs, loaded once: workers are forked from there."""

from grading.__main__ import spare_jsonschema

spare_jsonschema()

import distributed.nanny  # noqa: E402, F401

import grading.work  # noqa: E402, F401
