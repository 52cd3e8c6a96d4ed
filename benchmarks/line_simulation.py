"""Line simulation: one year of a line of ten machines, beside the same line in simpy, and the oracle M/M/1."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import simpy

from servitwin.domain.line_model import Duration, LineModel, Route, Source, Station, Stop
from servitwin.domain.line_result import estimate
from servitwin.services.operation.line_simulation.run import simulate

YEAR = 365 * 86400.0
CYCLE, PLACES, MACHINES = 60.0, 5, 10
FAILURE = (Duration("exponential", 40 * 3600.0), Duration("lognormal", 3600.0, 0.8))
PAUSE = (Duration("exponential", 3600.0), Duration("exponential", 60.0))


def ten_machines() -> LineModel:
    """Ten machines in a row, cycle 60 s (lognormal, 10 %), 5 places between, a failure each 40 h, a pause each hour."""
    stations = []
    for i in range(MACHINES):
        stops = (Stop("failure", *FAILURE), Stop("pause", *PAUSE, "pause"))
        routes = (Route(f"m{i + 1}" if i < MACHINES - 1 else ""),)
        cycle = Duration("lognormal", CYCLE, 0.1)
        stations.append(Station(f"m{i}", cycle, places=PLACES, stops=stops, scrap=0.002, routes=routes))
    return LineModel("ten", tuple(stations), (Source("m0"),))


def in_simpy(days: float, seed: int = 1) -> int:
    """The same line written with simpy, as its guide shows machines; good parts made."""
    environment = simpy.Environment()
    random = np.random.default_rng(seed)
    buffers = [simpy.Store(environment, PLACES) for _ in range(MACHINES)]
    made = 0

    def endless(duration: Duration) -> Iterator[float]:
        while True:
            yield from duration.draw(2048, random).tolist()

    def machine(i: int) -> Iterator[simpy.Event]:
        nonlocal made
        work = endless(Duration("lognormal", CYCLE, 0.1))
        laws = [(endless(a), endless(b)) for a, b in (FAILURE, PAUSE)]
        due = [next(a) for a, _ in laws]
        worked = 0.0
        while True:
            if i:
                yield buffers[i].get()
            seconds = next(work)
            worked += seconds
            for n, (every, lasting) in enumerate(laws):
                while worked >= due[n]:
                    seconds += next(lasting)
                    due[n] += next(every)
            yield environment.timeout(seconds)
            if random.random() < 0.002:
                continue
            if i + 1 < MACHINES:
                yield buffers[i + 1].put(1)
            else:
                made += 1

    for i in range(MACHINES):
        environment.process(machine(i))
    environment.run(until=days * 86400.0)
    return made


def run() -> None:
    """Measure and print the table of docs/benchmarks.md."""
    simulate(ten_machines(), 86400.0, 1, runs=1000)  # the loop is compiled once after an installation: not measured
    began = time.process_time()
    year = simulate(ten_machines(), YEAR, 1)
    own = time.process_time() - began
    began = time.process_time()
    in_simpy(36.5)
    other = 10 * (time.process_time() - began)
    queue = LineModel(
        "queue", (Station("s", Duration("exponential", 1.0)),), (Source("s", Duration("exponential", 1.25)),)
    )
    began = time.process_time()
    runs = [simulate(queue, 200_000, 7, warm_up=2_000, replication=i) for i in range(10)]
    seconds = time.process_time() - began
    length, waiting = (estimate([r.figure(f) for r in runs], 0.99) for f in ("wip", "lead_time_s"))
    print("| work | at least | aim | measured |")
    print("| --- | --- | --- | --- |")
    print(f"| one year of a line of 10 machines, {year.events} events | 10 s | 2 s | {own:.1f} s of one core |")
    print(f"| the same in simpy (36.5 days, times ten) | | | {other:.0f} s |")
    print(
        f"| M/M/1, lambda 0.8, mu 1, 10 runs of 200 000 s: L = 4, W = 5 | in the 99 % interval | | "
        f"L {length.low:.3f} to {length.high:.3f}, W {waiting.low:.3f} to {waiting.high:.3f}, {seconds:.1f} s |"
    )


if __name__ == "__main__":
    run()
