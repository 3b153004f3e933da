"""`synctestoracle.test -test.run=NAME$ -test.timeout=3s`: python main.py NAME."""

import sys

import testing
from synctestoracle import TESTS

from goruntime import run

run(testing.main, TESTS, sys.argv[1])
