"""Importing the linker leaves PyTensor's other modes as they are."""

import subprocess
import sys

CODE = """
import sys
import statmech_dsl.backends.pytensor_cupy
adding_rewrites = [m for m in sys.modules if m in ("pytensor.sparse", "pytensor.xtensor")]
assert not adding_rewrites, adding_rewrites
"""


def test_modules_that_add_rewrites_to_the_default_mode_are_not_imported():
    subprocess.run([sys.executable, "-c", CODE], check=True)
