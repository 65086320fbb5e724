"""The command line: one click command per file, all reached through `s2s.cli.main`."""
