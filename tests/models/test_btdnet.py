"""BTDNet: the contract, its switches, and its equations computed the slow, literal way."""

import math

import pytest
import torch
from model_checks import ModelChecks, inputs
from torch.nn import functional as F

from rrsis_core.contract import ConfigError
from rrsis_core.models import create_criterion, create_model
from rrsis_core.models.base import SegmentationOutput
from rrsis_core.models.btdnet.config import BackgroundConfig, BscConfig, ReconstructionConfig
from rrsis_core.models.btdnet.criterion import BTDNetCriterion, BTDNetLossConfig
from rrsis_core.models.btdnet.object_learning import JointReconstruction, reconstruction_loss
from rrsis_core.models.btdnet.spatial_correlation import Gate, MergedConvolution, SpatialCorrelation
from rrsis_core.models.btdnet.twin_decoder import BackgroundTokens

TINY = {
    "backbone": {"name": "convnext_atto", "drop_path": 0.0, "layer_scale": 0.1},
    "bert": {"vocab_size": 64, "hidden": 32, "layers": 4, "heads": 2, "intermediate": 48, "dropout": 0.0},
    "dim": 32,
    "img_size": 64,
    "bsc": {"dim": 16, "gate_init": 0.1},
    "mci": {"layers": 2, "heads": 2},
    "rec": {"dim": 32, "heads": 2},
}


class TestBTDNet(ModelChecks):
    preset = "btdnet_swin_base_512"
    tiny = TINY


class TestBTDNetSwin(ModelChecks):
    preset = "btdnet_swin_base_512"
    tiny = TINY | {"backbone": {"name": "swin_tiny_patch4_window7_224", "drop_path": 0.0}}


def build(**changes):
    torch.manual_seed(0)
    merged = {
        key: {**TINY.get(key, {}), **value} if isinstance(value, dict) else value for key, value in changes.items()
    }
    return create_model("btdnet_swin_base_512", **{**TINY, **merged})


def targeted(seed=0):
    """Inputs whose second and third token belong to a target word."""
    images, ids, mask = inputs(seed=seed)
    mask = mask.long()
    mask[:, 1:3] *= 2
    return images, ids, mask


def linear(layer, vector):
    return layer.weight @ vector + layer.bias


def literal_unfold_2d(x, k):
    """Unfold a map (C, H, W): the k x k patch around every pixel, zeros outside: (H, W, C, k, k)."""
    left = (k - 1) // 2
    channels, height, width = x.shape
    patches = torch.zeros(height, width, channels, k, k, dtype=x.dtype)
    for row in range(height):
        for column in range(width):
            for i in range(k):
                for j in range(k):
                    r, c = row + i - left, column + j - left
                    if 0 <= r < height and 0 <= c < width:
                        patches[row, column, :, i, j] = x[:, r, c]
    return patches


def literal_windows(x, k):
    """Unfold a sequence (N, C): windows of k tokens, (k - 1) // 2 of them to the left: (N, C, k)."""
    left = (k - 1) // 2
    windows = torch.zeros(len(x), x.shape[1], k, dtype=x.dtype)
    for n in range(len(x)):
        for i in range(k):
            if 0 <= n + i - left < len(x):
                windows[n, :, i] = x[n + i - left]
    return windows


def literal_gate(gate, rows, valid):
    """1x1 convolution, then InstanceNorm over the valid rows (eq. 4; B7, B9, B10)."""
    values = torch.stack([linear(gate.linear, row) for row in rows])
    kept = values[valid]
    normed = (values - kept.mean(0)) / torch.sqrt(kept.var(0, correction=0) + 1e-5)
    return normed * gate.gamma + gate.beta if gate.gamma is not None else normed


def make_bsc(**changes):
    torch.manual_seed(0)
    module = SpatialCorrelation(6, 10, BscConfig(dim=8, gate_init=0.7, **changes)).double()
    with torch.no_grad():
        module.pixels.weights.copy_(torch.tensor([0.5, 0.3, 0.4]))
        if changes.get("direction") != "vision_only":
            module.phrases.weights.copy_(torch.tensor([0.2, 0.6, 0.1]))
    x, text = torch.rand(1, 6, 3, 4).double(), torch.rand(1, 5, 10).double()
    return module, x, text, torch.tensor([[True, True, True, True, False]])


@pytest.mark.parametrize(
    "changes", [{}, {"norm": "scale"}, {"gate": "concat"}, {"residuals": 2}, {"valid_only": False}]
)
def test_bsc_equations_1_to_4(changes):
    """models.md 2.b.3: unfolded patches and windows, affinities, soft-maxes and gates, one element at a time."""
    module, x, text, mask = make_bsc(**changes)
    norm, concat = changes.get("norm", "softmax"), changes.get("gate") == "concat"  # B5, B7
    residuals, valid = changes.get("residuals", 1), mask[0]  # B8
    counted = valid if changes.get("valid_only", True) else torch.ones(5, dtype=torch.bool)  # B10
    words, pixels = text[0], x[0].flatten(1).T  # N x 10, HW x 6
    keys = torch.stack([linear(module.words, word) for word in words])
    s_v2l = torch.zeros(12, 5).double()
    for weight, convolution, k in zip(module.pixels.weights, module.pixels.convolutions, (1, 3, 5), strict=True):
        patches = literal_unfold_2d(x[0], k).flatten(0, 1)  # HW x C x k x k
        queries = torch.stack([(convolution.weight * p).sum((1, 2, 3)) + convolution.bias for p in patches])
        s_v2l += weight * (queries @ keys.T) / math.sqrt(8)
    a_v2l = s_v2l.masked_fill(~valid, -math.inf).softmax(1) if norm == "softmax" else s_v2l * valid
    v = torch.stack([sum(a_v2l[p, n] * words[n] for n in range(5)) for p in range(12)])
    v = torch.cat([v, pixels], 1) if concat else v
    expected_v = residuals * pixels + literal_gate(module.pixel_gate, v, torch.ones(12, dtype=torch.bool)) * pixels

    patch_keys = torch.stack([linear(module.patches, pixel) for pixel in pixels])
    s_l2v = torch.zeros(5, 12).double()
    for weight, convolution, k in zip(module.phrases.weights, module.phrases.convolutions, (1, 2, 3), strict=True):
        windows = literal_windows(words * valid[:, None], k)
        queries = torch.stack([(convolution.weight * w).sum((1, 2)) + convolution.bias for w in windows])
        s_l2v += weight * (queries @ patch_keys.T) / math.sqrt(8)
    a_l2v = s_l2v.softmax(1) if norm == "softmax" else s_l2v
    read = torch.stack([sum(a_l2v[n, p] * pixels[p] for p in range(12)) for n in range(5)])
    read = torch.cat([read, words], 1) if concat else read
    expected_l = residuals * words + literal_gate(module.word_gate, read, counted) * words

    new_x, new_text = module(x, text, mask)
    torch.testing.assert_close(new_x[0].flatten(1).T, expected_v, atol=1e-5, rtol=0)
    torch.testing.assert_close(new_text[0, :4], expected_l[:4], atol=1e-5, rtol=0)
    torch.testing.assert_close(new_text[0, 4], words[4], atol=0, rtol=0)  # B10: padding passes unchanged


def test_b9_a_gate_of_zero_is_the_identity():
    module = SpatialCorrelation(6, 10, BscConfig(dim=8))
    x, text, mask = torch.rand(2, 6, 4, 4), torch.rand(2, 5, 10), torch.ones(2, 5, dtype=torch.bool)
    new_x, new_text = module(x, text, mask)
    torch.testing.assert_close(new_x, x)
    torch.testing.assert_close(new_text, text)
    assert Gate(4, 4, BscConfig(gate_affine=False)).gamma is None
    assert SpatialCorrelation(6, 10, BscConfig(dim=8, gate_affine=False))(x, text, mask)[0].ne(x).any()


def test_vision_only_keeps_the_text():
    module, x, text, mask = make_bsc(direction="vision_only")
    new_x, new_text = module(x, text, mask)
    assert new_text is text
    assert new_x.ne(x).any()


@pytest.mark.parametrize(("kernels", "dims"), [((1, 3, 5), 2), ((1, 2, 3), 1), ((2,), 1)])
def test_merged_convolution_is_the_sum_of_its_parts(kernels, dims):
    torch.manual_seed(0)
    module = MergedConvolution(3, 4, kernels, dims).double()
    x = torch.rand(2, 3, *([7] * dims)).double()
    literal = 0
    for weight, convolution, k in zip(module.weights, module.convolutions, kernels, strict=True):
        left = (k - 1) // 2
        literal = literal + weight * convolution(F.pad(x, (left, k - 1 - left) * dims))
    torch.testing.assert_close(module(x), literal)


def test_b6_the_kernels_start_with_equal_weights():
    assert MergedConvolution(3, 4, (1, 3, 5), 2).weights.tolist() == pytest.approx([1 / 3] * 3)
    other = build(bsc={"kernel_weight": 0.5}).fusions["1"]
    assert other.pixels.weights.tolist() == other.phrases.weights.tolist() == [0.5] * 3


def test_b1_b2_b4_both_sides_come_to_one_width():
    module = SpatialCorrelation(6, 10, BscConfig(dim=8))
    assert [tuple(c.weight.shape) for c in module.pixels.convolutions] == [(8, 6, k, k) for k in (1, 3, 5)]
    assert [tuple(c.weight.shape) for c in module.phrases.convolutions] == [(8, 10, k) for k in (1, 2, 3)]


def test_b3_an_even_kernel_sees_the_next_token():
    module = MergedConvolution(1, 1, (2,), 1)
    with torch.no_grad():
        module.convolutions[0].weight.copy_(torch.tensor([[[1.0, 10.0]]]))
        module.convolutions[0].bias.zero_()
    assert module(torch.tensor([[[1.0, 2.0, 3.0]]])).tolist() == [[[21.0, 32.0, 3.0]]]


@pytest.mark.parametrize("tokens", [3, 5, 7])
@pytest.mark.parametrize("valid_only", [True, False])
def test_equation_8(tokens, valid_only):
    """AP_r over the masked text, by PyTorch's own adaptive pooling on what counts."""
    module = BackgroundTokens(6, 8, BackgroundConfig(tokens=tokens, pool_valid_only=valid_only)).double()
    masked = torch.rand(1, 9, 6).double()
    mask = torch.tensor([[True, False, True, True, True, True, False, False, False]])  # word 1 hidden, 3 padding
    length = torch.tensor([6])
    values = (masked * mask[:, :, None])[0].T[None]
    values = values[:, :, :6] if valid_only else values
    sizes = {3: (1, 2), 5: (1, 4), 7: (1, 2, 4)}[tokens]
    literal = torch.cat([F.adaptive_avg_pool1d(values, size)[0].T for size in sizes])
    torch.testing.assert_close(module.pool(masked, mask, length)[0], literal)


def test_without_prior_the_tokens_do_not_know_the_text():
    module = BackgroundTokens(6, 8, BackgroundConfig(prior=False))
    mask, length = torch.ones(1, 9, dtype=torch.bool), torch.tensor([9])
    first, second = (module(torch.rand(1, 9, 6), mask, length) for _ in range(2))
    torch.testing.assert_close(first, second)


def test_equation_9_is_an_inner_product():
    """O_c = <I_proj(V_pred), R_proj(L_c)> per pixel, both prototypes through one projection."""
    model = build().eval()
    pixels, fg, bg = torch.rand(1, 32, 3, 3), torch.rand(1, 32), torch.rand(1, 32)
    logits = model.decoder.predict(pixels, fg, bg)
    image = model.decoder.pixel_projection(pixels)
    for channel, prototype in enumerate((bg, fg)):
        projected = model.decoder.prototype_projection(prototype)[0]
        for row in range(3):
            for column in range(3):
                expected = (image[0, :, row, column] * projected).sum()
                torch.testing.assert_close(logits[0, channel, row, column], expected, atol=1e-5, rtol=0)


def test_r1_and_r2():
    """R2: the background tokens attend to vision in MCI; R1: they depend on the text alone."""
    for in_mci in (True, False):
        model = build(bg={"in_mci": in_mci}).eval()
        seen = []
        original = model.decoder.decode
        model.decoder.decode = lambda pixels, maps, fg, bg, original=original, seen=seen: (
            seen.append(bg),
            original(pixels, maps, fg, bg),
        )[1]
        _, ids, mask = targeted()
        model(torch.rand(2, 3, 64, 64), ids, mask)
        model(torch.rand(2, 3, 64, 64), ids, mask)
        assert bool((seen[0] - seen[1]).abs().max() > 1e-6) is in_mci


def test_the_masked_text_hides_the_target_words():
    model = build().eval()
    _, ids, mask = targeted()
    features, masked_mask = model.encode_masked(ids, mask)
    assert (masked_mask == (mask == 1)).all()
    other = ids.clone()
    other[:, 1:3] = 7
    torch.testing.assert_close(model.encode_masked(other, mask)[0], features)
    by_token = build(masking={"token": "mask"}).eval()
    assert (by_token.encode_masked(ids, mask)[1] == (mask > 0)).all()


def test_equation_12_is_two_steps():
    torch.manual_seed(0)
    module = JointReconstruction(8, 12, ReconstructionConfig(dim=8, heads=1)).double()
    pixels, words, masked = torch.rand(1, 6, 8).double(), torch.rand(1, 4, 8).double(), torch.rand(1, 4, 12).double()
    mask = torch.tensor([[True, True, True, False]])

    def attend(step, queries, keys, valid):
        q, k, v = (
            torch.stack([linear(layer, row) for row in rows])
            for layer, rows in ((step.cross.query, queries), (step.cross.key, keys), (step.cross.value, keys))
        )
        out = []
        for query in q:
            weights = torch.stack([query @ key / math.sqrt(8) for key in k[valid]]).softmax(0)
            out.append(linear(step.cross.out, weights @ v[valid]))
        hidden = step.norms[0](queries + torch.stack(out))
        return step.norms[1](hidden + step.ffn(hidden))

    fused = attend(module.steps[0], pixels[0], words[0], mask[0])
    queries = torch.stack([linear(module.masked, row) for row in masked[0]])
    rebuilt = attend(module.steps[1], queries, fused, torch.ones(6, dtype=torch.bool))
    literal = torch.stack([linear(module.out, row) for row in rebuilt])
    torch.testing.assert_close(module(pixels, words, mask, masked)[0], literal, atol=1e-8, rtol=0)


def test_equation_13():
    rebuilt, target = torch.rand(2, 3, 4), torch.rand(2, 3, 4, requires_grad=True)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    mean = sum(((rebuilt[b, n] - target[b, n]) ** 2).mean() for b, n in ((0, 0), (0, 1), (1, 0))) / 3
    torch.testing.assert_close(reconstruction_loss(rebuilt, target, mask), mean.detach())
    torch.testing.assert_close(reconstruction_loss(rebuilt, target, mask, "sum"), mean.detach() * 4)
    assert not reconstruction_loss(rebuilt, target, mask).requires_grad  # the target stops the gradient


@pytest.mark.parametrize("target", ["bert_final", "bert_embed", "l4_prime"])
def test_the_reconstruction_target_is_one_of_three(target):
    model = build(rec={"target": target}).train()
    images, ids, mask = targeted()
    extras = model(images, ids, mask).extras
    assert extras["target"].shape == extras["rebuilt"].shape == (2, 12, 32)
    assert not extras["target"].requires_grad and extras["rebuilt"].requires_grad
    if target == "bert_embed":
        torch.testing.assert_close(extras["target"], model.linguistic.embed(ids))


def test_reconstruction_is_for_training_only():
    images, ids, mask = targeted()
    assert build().eval()(images, ids, mask).extras == {}
    assert build(rec={"enabled": False}).train()(images, ids, mask).extras == {}


def literal_streams(logits, masks, mode, share):
    """Equations 10 and 11, pixel by pixel."""
    foreground, background, weight = [], [], []
    for (b, r, c), g in ((index, masks[index].item()) for index in torch.cartesian_prod(
        *(torch.arange(n) for n in masks.shape)).unbind() for index in [tuple(index.tolist())]
    ):  # fmt: skip
        bg, fg = logits[b, 0, r, c], logits[b, 1, r, c]
        if mode == "softmax_ce":
            p = torch.exp(fg) / (torch.exp(fg) + torch.exp(bg))
            foreground.append(-share * g * torch.log(p))
            background.append(-(1 - share) * (1 - g) * torch.log(1 - p))
            weight.append(share * g + (1 - share) * (1 - g))
        else:
            f, k = torch.sigmoid(fg), torch.sigmoid(bg)
            foreground.append(-(g * torch.log(f) + (1 - g) * torch.log(1 - f)))
            background.append(-((1 - g) * torch.log(k) + g * torch.log(1 - k)))
    if mode == "softmax_ce":
        return (sum(foreground) + sum(background)) / sum(weight)
    mean_f, mean_b = sum(foreground) / len(foreground), sum(background) / len(background)
    return mean_f if mode == "fg_bce" else share * mean_f + (1 - share) * mean_b


@pytest.mark.parametrize("mode", ["softmax_ce", "dual_bce", "fg_bce"])
@pytest.mark.parametrize("share", [0.6, 0.4])
def test_equations_10_and_11(mode, share):
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 3, 3).double()
    masks = torch.randint(0, 2, (2, 3, 3), dtype=torch.uint8)
    criterion = BTDNetCriterion(BTDNetLossConfig(mode=mode, lambda_fg=share))
    literal = literal_streams(logits, masks, mode, share)
    assert criterion.streams(logits, masks).item() == pytest.approx(literal.item(), abs=1e-6)


def test_equation_14_adds_a_tenth_of_the_reconstruction():
    model = build().train()
    images, ids, mask = targeted()
    output = model(images, ids, mask)
    terms = BTDNetCriterion()(output, torch.ones(2, 64, 64, dtype=torch.uint8))
    expected = terms["cross_entropy"] + 0.1 * terms["reconstruction"]
    torch.testing.assert_close(terms["loss"], expected)
    plain = BTDNetCriterion()(SegmentationOutput(output.logits, {}), torch.ones(2, 64, 64, dtype=torch.uint8))
    assert set(plain) == {"loss", "cross_entropy"}


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"bsc": {"stages": (1,)}}, "fusions.2"),
        ({"bsc": {"stages": (1, 2)}}, "fusions.3"),
        ({"bsc": {"stages": (1, 2, 3)}}, "fusions.4"),
        ({"bsc": {"fusion": "none"}}, "fusions"),
        ({"bsc": {"direction": "vision_only"}}, "fusions.1.phrases"),
        ({"bg": {"prior": False}}, "background.prior"),
        ({"rec": {"enabled": False}}, "reconstruction"),
    ],
)
def test_an_ablation_removes_what_its_name_says(changes, gone):
    full, ablated = build(), build(**changes)
    assert any(name.startswith(gone) for name, _ in full.named_parameters())
    assert not any(name.startswith(gone) for name, _ in ablated.named_parameters())
    create_criterion("btdnet_swin_base_512")(ablated.train()(*targeted()), torch.ones(2, 64, 64).byte())[
        "loss"
    ].backward()


@pytest.mark.parametrize("fusion", ["pwam", "wpa", "iim"])
def test_a_comparator_takes_the_place_of_bsc(fusion):
    model = build(bsc={"fusion": fusion}).train()
    assert not isinstance(model.fusions["1"], SpatialCorrelation)
    create_criterion("btdnet_swin_base_512")(model(*targeted()), torch.ones(2, 64, 64).byte())["loss"].backward()
    assert all(p.grad is not None for p in model.fusions.parameters() if p.requires_grad)


@pytest.mark.parametrize("fusion", ["lgce", "cim"])
def test_a_multi_scale_comparator_takes_the_place_of_mci(fusion):
    model = build(ms_fusion=fusion).train()
    create_criterion("btdnet_swin_base_512")(model(*targeted()), torch.ones(2, 64, 64).byte())["loss"].backward()
    assert all(p.grad is not None for p in model.multi_scale.parameters())
    assert model.decoder.layers[0].words["cross"].query.weight.grad is None


def test_cim_refuses_another_size_by_name():
    model = build(ms_fusion="cim").eval()
    _, ids, mask = targeted()
    with pytest.raises(ConfigError) as caught:
        model(torch.rand(2, 3, 96, 96), ids, mask)
    assert caught.value.code == "config.img_size"
    assert "64" in caught.value.message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bsc": {"fusion": "sum"}}, "config.bsc"),
        ({"bsc": {"stages": (0, 5)}}, "config.bsc"),
        ({"bsc": {"gate": "sum"}}, "config.bsc"),
        ({"bg": {"tokens": 9}}, "config.bg"),
        ({"masking": {"scope": "verbs"}}, "config.masking"),
        ({"rec": {"target": "l5"}}, "config.rec"),
        ({"ms_fusion": "fpn"}, "config.ms_fusion"),
        ({"bert": {"layers": 6}}, "config.bert"),
    ],
)
def test_a_switch_without_meaning_is_refused(changes, code):
    with pytest.raises(ConfigError) as caught:
        build(**changes)
    assert caught.value.code == code
    with pytest.raises(ConfigError):
        BTDNetLossConfig(mode="hinge")


def test_full_size_parameter_count():
    with torch.device("meta"):
        model = create_model("btdnet_swin_base_512")
    count = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert abs(count - 252) < 0.03 * 252
