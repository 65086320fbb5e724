"""Train on prepared data: `train.py CONFIG --data DATA --output RUN` is `s2s train` with the same arguments."""

import sys

from s2s.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
