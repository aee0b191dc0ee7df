"""The limit on open files, in a process of its own."""

import subprocess
import sys

import pytest

TRY = """
import resource
from wirewatch.runtime.open_files import raise_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512))
print(raise_open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE), raise_open_files())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_the_soft_limit_becomes_the_hard_one() -> None:
    done = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["512", "512", "512", "512"]
