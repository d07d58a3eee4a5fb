"""A run is one question asked of many rasters: planned once, done unit by unit, by as many processes as there are.

All that a run knows lies in its folder, as files that appear whole: whoever is killed loses the unit in hand.
"""

from rrsis_core.runs.plan import Outputs, Plan, Scene, Unit, open_plan
from rrsis_core.runs.running import RunOptions, RunResult, run_batch

__all__ = ["Outputs", "Plan", "RunOptions", "RunResult", "Scene", "Unit", "open_plan", "run_batch"]
