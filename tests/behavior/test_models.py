"""The rules suffice: two small models that contain nothing else reproduce what Go printed."""

import re

import pytest

from .models import model_chan, model_runq, programs_chan
from .oracle import HERE


@pytest.mark.parametrize("variant", [0, 1])
def test_run_queue_rules_reproduce_runq_overflow(variant):
    """Free is only the schedtick at which the program starts."""
    measured = model_runq.measured((HERE / "runq_overflow.out").read_text())
    assert len(measured) == 2
    ticks = [tick for tick in range(model_runq.FAIRNESS) if model_runq.simulate(tick) == measured[variant]]
    assert ticks == [[5], [6]][variant]


@pytest.mark.parametrize("program", programs_chan.PROGRAMS, ids=lambda program: program.__name__)
def test_channel_rules_reproduce_the_order_of_prints(program):
    text = (HERE / f"{program.__name__}.out").read_text()
    (printed,) = re.findall(r"^--- std(?:out|err)\n(.*)", text, re.MULTILINE | re.DOTALL)
    assert model_chan.Scheduler().run(program).split() == printed.split()
