"""CroBIM, cross-modal bidirectional interaction model (arXiv 2410.08613).

The paper's inner equations and code are not public. This is a reconstruction of the published topology; every choice
where the paper is silent is named in a docstring and is a configuration key (models.md part 1).
"""

from rrsis_core.models.crobim.config import CroBIMConfig
from rrsis_core.models.crobim.criterion import CroBIMCriterion
from rrsis_core.models.crobim.model import CroBIM

__all__ = ["CroBIM", "CroBIMConfig", "CroBIMCriterion"]
