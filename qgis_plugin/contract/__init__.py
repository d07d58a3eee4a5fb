"""In the checkout, the contract is that of the library; the zip holds a copy of it in this place."""

from rrsis_core.contract import *  # noqa: F403 # all of its public names, and no others
