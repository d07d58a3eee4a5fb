"""BTDNet, bidirectional alignment guided joint prediction (arXiv 2502.08486), from the paper's equations.

Where the paper is silent or contradicts itself, the reading is named in a docstring and is a configuration key
(models.md part 2).
"""

from rrsis_core.models.btdnet.config import BTDNetConfig
from rrsis_core.models.btdnet.criterion import BTDNetCriterion, BTDNetLossConfig
from rrsis_core.models.btdnet.model import BTDNet

__all__ = ["BTDNet", "BTDNetConfig", "BTDNetCriterion", "BTDNetLossConfig"]
