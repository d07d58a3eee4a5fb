"""The contract of every referring model, as one class of checks that each model's test subclasses."""

import copy

import pytest
import torch

from rrsis_core.contract import ConfigError
from rrsis_core.models import create_criterion, create_model, foreground_probability, load_model, save_weights
from rrsis_core.models.loading import Card

PADDED = 9  # tokens of the shorter expression below


def inputs(size=64, batch=2, tokens=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(batch, 3, size, size, generator=generator)
    ids = torch.randint(5, 60, (batch, tokens), generator=generator)
    lengths = torch.tensor([tokens, PADDED])[torch.arange(batch) % 2]
    mask = torch.arange(tokens)[None, :] < lengths[:, None]
    return images, ids * mask, mask


class ModelChecks:
    """Subclasses set `preset` and `tiny`, the changes that make it small, and list parameters without gradient."""

    preset: str
    tiny: dict
    without_gradient: tuple[str, ...] = ()
    fixed_size = False
    """A part of the model is made for one size of images."""

    @classmethod
    def build(cls):
        torch.manual_seed(0)
        return create_model(cls.preset, **cls.tiny)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls):
        return cls.build().eval()

    def test_logits_have_a_quarter_of_the_size(self, model):
        output = model(*inputs())
        assert output.logits.shape == (2, 2, 16, 16)
        assert output.logits.isfinite().all()

    @pytest.mark.parametrize("size", [(64, 96), (96, 64), (128, 128)])
    def test_any_resolution(self, model, size):
        images, ids, mask = inputs()
        images = torch.rand(2, 3, *size)
        if self.fixed_size:
            with pytest.raises(ConfigError, match=r"\d+ x \d+") as caught:
                model(images, ids, mask)
            assert caught.value.code == "config.img_size"
            return
        assert model(images, ids, mask).logits.shape == (2, 2, size[0] // 4, size[1] // 4)

    def test_every_parameter_gets_a_finite_gradient(self):
        model = self.build().train()
        images, ids, mask = inputs()
        masks = (torch.rand(2, 64, 64, generator=torch.Generator().manual_seed(1)) > 0.5).to(torch.uint8)
        create_criterion(self.preset)(model(images, ids, mask), masks)["loss"].backward()
        for name, parameter in model.named_parameters():
            if name not in self.without_gradient:
                assert parameter.grad is not None, name
                assert parameter.grad.isfinite().all(), name
                assert parameter.grad.abs().sum() > 0, name

    def test_the_output_does_not_depend_on_padding(self, model):
        images, ids, mask = inputs(batch=1)
        longer = torch.nn.functional.pad(ids, (0, 5))
        longer_mask = torch.nn.functional.pad(mask, (0, 5))
        torch.testing.assert_close(
            model(images, longer, longer_mask).logits, model(images, ids, mask).logits, atol=1e-5, rtol=0
        )

    def test_the_output_does_not_depend_on_the_batch(self, model):
        images, ids, mask = inputs()
        together = model(images, ids, mask).logits
        alone = torch.cat([model(images[i : i + 1], ids[i : i + 1], mask[i : i + 1]).logits for i in range(2)])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)

    def test_the_expression_matters(self, model):
        images, ids, mask = inputs(batch=1)
        other = ids.flip(1)
        assert (model(images, ids, mask).logits - model(images, other, mask).logits).abs().max() > 1e-4

    def test_an_image_is_encoded_once_for_many_expressions(self, model):
        images, ids, mask = inputs()
        visual = model.encode_image(images[:1])
        for row in range(2):
            logits = model.segment(visual, model.encode_text(ids[row : row + 1], mask[row : row + 1])).logits
            whole = model(images[:1], ids[row : row + 1], mask[row : row + 1]).logits
            torch.testing.assert_close(logits, whole, atol=1e-5, rtol=0)

    def test_one_image_with_several_expressions_is_that_image_several_times(self, model):
        images, ids, mask = inputs()
        both = model(images[:1], ids, mask).logits
        torch.testing.assert_close(both, model(images[:1].repeat(2, 1, 1, 1), ids, mask).logits, atol=1e-5, rtol=0)

    def test_same_seed_same_numbers(self):
        first, second = self.build().eval(), self.build().eval()
        torch.testing.assert_close(first(*inputs()).logits, second(*inputs()).logits, atol=0, rtol=0)

    def test_standardisation_is_inside(self, model):
        images = torch.rand(1, 3, 8, 8)
        mean, std = images.new_tensor([0.485, 0.456, 0.406]), images.new_tensor([0.229, 0.224, 0.225])
        literal = (images - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
        torch.testing.assert_close(model.standardise(images), literal)

    def test_save_and_load(self, model, tmp_path):
        path = tmp_path / "w.safetensors"
        save_weights(model, path, Card(self.preset, name="x", gsd=0.3))
        loaded, card = load_model(path, self.preset)
        torch.testing.assert_close(loaded(*inputs()).logits, model(*inputs()).logits, atol=0, rtol=0)
        assert card == Card(self.preset, name="x", gsd=0.3)
        assert loaded.config == model.config

    def test_training_lowers_the_loss(self):
        model = self.build().train()
        images, ids, mask = inputs()
        masks = torch.zeros(2, 64, 64, dtype=torch.uint8)
        masks[0, :32], masks[1, :, :32] = 1, 1
        criterion = create_criterion(self.preset)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
        losses = []
        for _ in range(25):
            loss = criterion(model(images, ids, mask), masks)["loss"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.6 * losses[0]

    def test_probability_is_a_soft_max(self, model):
        logits = model(*inputs()).logits
        torch.testing.assert_close(foreground_probability(logits), logits.softmax(1)[:, 1])

    def test_a_copy_is_independent(self, model):
        other = copy.deepcopy(model)
        torch.testing.assert_close(other(*inputs()).logits, model(*inputs()).logits, atol=0, rtol=0)

    def test_compile_has_no_graph_break(self, model):
        torch.compiler.reset()
        compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
        with torch.no_grad():
            torch.testing.assert_close(compiled(*inputs()).logits, model(*inputs()).logits, atol=1e-5, rtol=0)

    def test_export(self, model):
        with torch.no_grad():
            exported = torch.export.export(model, inputs()).module()
            torch.testing.assert_close(exported(*inputs()).logits, model(*inputs()).logits, atol=1e-5, rtol=0)
