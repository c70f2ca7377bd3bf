"""Writes the pages that are made from the program: ``python -m docs``."""

import sys

from docs.generated import PageError, write

try:
    write()
except PageError as error:
    sys.exit(str(error))
