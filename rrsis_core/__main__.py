"""python -m rrsis_core is rrsis."""

from rrsis_core.cli import main

main()
