"""What a valuation costs, part by part, beside a pipeline of the usual libraries.

    python benchmarks/appraise.py [--recipe fast] [--rounds 7]

Trains on the simulated market, then prices 1 to 10,000 homes of it in rounds that take turns, and
prints the median CPU time of one thread in microseconds a home; *plain* is the same model of
benchmarks/plain_model.py. Both have to give the same answers, and a home the same bits alone.
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

start = time.process_time()
import numba  # noqa: E402, F401

IMPORTED = time.process_time() - start

import ree.adapters.boosted_trees as boosted  # noqa: E402

COMPILED = time.process_time() - start - IMPORTED

import numpy as np  # noqa: E402
from plain_model import PlainModel  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from ree.adapters.conformal import sights  # noqa: E402
from ree.adapters.frames import add_offsets  # noqa: E402
from ree.adapters.sandbox.simulator import Simulator  # noqa: E402
from ree.adapters.sklearn_model import RECIPES, SklearnTrainer  # noqa: E402
from ree.adapters.table import HomeTable, NumpyTable  # noqa: E402
from ree.adapters.training_domain import nearness  # noqa: E402

SIZES = (1, 10, 100, 1_000, 10_000)
BUDGET = 0.4
"""Seconds that one timing may take."""
