"""The same programs under many seeds: `./dev sim SEED` repeats a sweep, and CI starts one at every commit."""

from __future__ import annotations

import pytest

from goruntime import run
from tests.determinism.program import main as everything
from tests.model.invariants import checked_at_every_step, doors

pytestmark = [pytest.mark.sim, pytest.mark.slow]
SEEDS = 12


@pytest.mark.parametrize("gomaxprocs", [2, 3, 4, 8])
@pytest.mark.parametrize("quantum", [0, 5e-6, 50e-6])
def test_every_structure_stays_sound(sim_seed, gomaxprocs, quantum):
    for seed in range(sim_seed, sim_seed + SEEDS):
        print(f"seed {seed}")
        with checked_at_every_step(), doors(is_open=bool(seed % 2)):
            assert run(everything, gomaxprocs=gomaxprocs, quantum=quantum, seed=seed) > 0
