"""One route along all segments of a journey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statmech_dsl.results.free_energy import Curve
from statmech_dsl.runs.free_energy.routes import ROUTES
from statmech_dsl.runs.free_energy.segment import Effort, Segment
from statmech_dsl.runs.free_energy.start import Journey
from statmech_dsl.runs.progress import Advance


def travel(journey: Journey, name: str, effort: Effort, advance: Advance) -> Curve:
    """Follow log Z along every leg; temperatures in the result ascend in beta."""
    parts = [_leg(segments, name, effort, k, advance) for k, segments in enumerate(journey.legs)]
    start = np.concatenate(
        [np.full(len(p.effective_size), z) for p, z in zip(parts, journey.log_z, strict=True)]
    )
    pairs = {
        key: tuple(np.concatenate(x) for x in zip(*(getattr(p, key) for p in parts), strict=True))
        for key in ("log_partition", "energy", "heat_capacity", "entropy")
    }
    for key in ("log_partition", "entropy"):
        pairs[key] = pairs[key][0] + start, pairs[key][1]
    size = np.concatenate([p.effective_size for p in parts])
    trouble = tuple(dict.fromkeys(reason for p in parts for reason in p.trouble))
    return Curve(**pairs, effective_size=size, trouble=trouble, start=start)  # type: ignore[arg-type]


def _leg(
    segments: tuple[Segment, ...], name: str, effort: Effort, number: int, advance: Advance
) -> Curve:
    """Segment after segment; what was found on the way is added to log Z at the end."""
    route, before, variance, trouble = ROUTES[name], 0.0, 0.0, ()
    for k, segment in enumerate(segments):
        found = route.run(segment, replace(effort, seed=_seed(effort.seed, number, k)), advance)
        trouble = (*trouble, *found.trouble)
        if k == len(segments) - 1:
            break
        value, error = found.log_partition
        before, variance = before + float(value[-1]), variance + float(error[-1]) ** 2
    shifted = {
        key: (pair[0] + before, np.sqrt(pair[1] ** 2 + variance))
        for key, pair in (("log_partition", found.log_partition), ("entropy", found.entropy))
    }
    return replace(found, **shifted, trouble=trouble)


def _seed(seed: int, leg: int, segment: int) -> int:
    """Seeds of segments, all different."""
    if leg == segment == 0:
        return seed
    return int(np.random.SeedSequence([seed, leg, segment]).generate_state(1, np.uint64)[0])
