"""`python -m s2s` is the same as the command `s2s`."""

import sys

from s2s.cli.main import main

sys.exit(main())
