"""What models cost: the published sizes, and counts that agree with a count by hand."""

import pytest

from rrsis_core.models import create_model
from rrsis_core.models.cost import cost_of


@pytest.mark.parametrize(
    ("preset", "millions"),
    [("btdnet_swin_base_512", 252), ("crobim_swin_base_480", 230), ("crobim_convnext_base_480", 230)],
)
def test_full_size_has_the_published_number_of_parameters(preset, millions):
    assert cost_of(preset).parameters / 1e6 == pytest.approx(millions, rel=0.03)


def test_parameters_are_those_of_the_model():
    cost = cost_of("crobim_convnext_pico_256")
    model = create_model("crobim_convnext_pico_256")
    assert cost.parameters == sum(parameter.numel() for parameter in model.parameters())
    # The visual encoder alone: timm gives 1.37 GMACs at 224 for ConvNeXt pico, which grow with the area.
    assert cost.macs > 1.37e9 * (256 / 224) ** 2
