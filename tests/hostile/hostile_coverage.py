"""Fuzz one reader by coverage, as a program: ``hostile_coverage.py TARGET CORPUS -max_total_time=60``.

Atheris (libFuzzer) keeps what reaches new code and mutates that further, half of the time by structure. It ends with
an error at the first exception that is not the product's own, and leaves the bytes beside the corpus.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent))
with atheris.instrument_imports(include=["suyuan"]):
    from hostile_mutations import any_of
    from hostile_readers import TARGETS

    from suyuan.errors import SuyuanError


def main() -> None:
    name, corpus, *options = sys.argv[1:]
    target = TARGETS[name]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(target.samples()):
        (folder / f"sample-{number}").write_bytes(sample)

    def read(data: bytes) -> None:
        try:
            target.read(data)
        except SuyuanError as error:
            assert error.code
            assert error.reason

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.randrange(2):
            return atheris.Mutate(data, most)
        return any_of(rng, data)[:most]

    bounds = [
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={folder.parent}/",
    ]
    atheris.Setup([sys.argv[0], *bounds, *options, corpus], read, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
