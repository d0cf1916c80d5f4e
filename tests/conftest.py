"""The same examples on every run, and no window for a plot."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
