"""`synctestoracle.test -test.run=NAME$ -test.timeout=3s`: python main.py NAME."""

import sys
from pathlib import Path

from goruntime import run

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for fmt

import synctestoracle
import synctestrules
import testing

run(testing.main, synctestoracle.TESTS | synctestrules.TESTS, sys.argv[1])
