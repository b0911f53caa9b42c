"""What workers keep for themselves after many requests and two swaps of the active model."""

import http.client
import json
from time import perf_counter, sleep

from serving_findings import Bench
from serving_lineup import WrongAnswer
from serving_load import load
from serving_market import RECIPES, activate
from serving_servers import Running, running

SWAPPED_WITHIN = 60.0
IN_A_ROW = 30
"""Answers that name the new version before all workers are taken to have it."""


def after_swaps(bench: Bench, recipe: str) -> list[float]:
    """Unshared MiB of each worker after the requests, with two swaps in between."""
    contender = bench.ree(recipe, REE_MODEL_REFRESH_SECONDS="1")
    other = next(name for name in RECIPES if name != recipe)
    bodies = bench.bodies(contender, 1)
    third = -(-bench.options.requests // 3)
    with running(contender.launch, bench.folder) as server:
        for version in (bench.served.versions[other], bench.served.versions[recipe], None):
            requests = 0
            while requests < third:
                cell = load(server, 1, contender.path, bodies, bench.options.seconds)
                if cell.failed:
                    raise WrongAnswer(f"{cell.failed} requests failed between the swaps")
                requests += cell.requests
            if version is not None:
                activate(contender.launch.environment, version)
                _await(server, version)
        contender.check(server, bench.asked[1])
        return [own.unshared for own in server.memory()[1:]]


def _await(server: Running, version: str) -> None:
    """Until every worker is likely to have told the version."""
    in_a_row, until = 0, perf_counter() + SWAPPED_WITHIN
    while in_a_row < IN_A_ROW:
        if perf_counter() > until:
            raise WrongAnswer(f"{version} was not served within {SWAPPED_WITHIN} s")
        status, body = server.get("/ready")
        told = status == http.client.OK and json.loads(body)["model_version"] == version
        in_a_row = in_a_row + 1 if told else 0
        sleep(0.05)
