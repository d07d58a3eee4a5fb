"""CroBIM: the contract, its switches, and its equations computed the slow, literal way."""

import math

import pytest
import torch
from model_checks import ModelChecks, inputs

from rrsis_core.contract import ConfigError
from rrsis_core.models import create_criterion, create_model
from rrsis_core.models.crobim.config import CapmConfig, LgfaConfig
from rrsis_core.models.crobim.feature_aggregation import FeatureAggregation
from rrsis_core.models.crobim.prompt_modulation import PromptModulation
from rrsis_core.models.layers import resize

TINY = {
    "backbone": {"name": "convnext_atto", "drop_path": 0.0},
    "bert": {"vocab_size": 64, "hidden": 32, "layers": 2, "heads": 2, "intermediate": 48, "dropout": 0.0},
    "dim": 32,
    "img_size": 64,
    "capm": {"heads": 2},
    "lgfa": {"heads": 2},
    "mid": {"layers": 2, "heads": 2, "visual_self_attn": "msdeform"},
}


class TestCroBIM(ModelChecks):
    preset = "crobim_convnext_pico_256"
    tiny = TINY


class TestCroBIMSwin(ModelChecks):
    preset = "crobim_swin_base_480"
    tiny = TINY | {"backbone": {"name": "swin_tiny_patch4_window7_224", "drop_path": 0.0}}


def build(**changes):
    torch.manual_seed(0)
    merged = {
        key: {**TINY.get(key, {}), **value} if isinstance(value, dict) else value for key, value in changes.items()
    }
    return create_model("crobim_convnext_pico_256", **{**TINY, **merged})


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"capm": {"enabled": False}}, "capm"),
        ({"lgfa": {"enabled": False}}, "lgfa.words"),
        ({"mid": {"enabled": False}}, "mid"),
        ({"lgfa": {"deficit": "none"}}, "lgfa.beta"),
        ({"lgfa": {"fuse": "mean"}}, "lgfa.scale_weights"),
        ({"mid": {"visual_self_attn": "none"}}, "mid.layers.0.pixels.self"),
        ({"mid": {"order": "v2l_only"}}, "mid.layers.0.words"),
        ({"mid": {"order": "l2v_only"}}, "mid.layers.0.pixels"),
        ({"capm": {"interaction": "add", "num_prompts": 20}}, "capm.attention"),
        ({"capm": {"scales": "last"}}, "capm.projections.1"),
    ],
)
def test_an_ablation_removes_what_its_name_says(changes, gone):
    full, ablated = build(), build(**changes)
    assert any(name.startswith(gone) for name, _ in full.named_parameters())
    assert not any(name.startswith(gone) for name, _ in ablated.named_parameters())
    masks = torch.ones(2, 64, 64, dtype=torch.uint8)
    create_criterion("crobim_convnext_pico_256")(ablated.train()(*inputs()), masks)["loss"].backward()


@pytest.mark.parametrize(
    "changes",
    [
        {"capm": {"pool": "max"}},
        {"capm": {"pool": "avg"}, "img_size": 96},
        {"lgfa": {"deficit": "std"}},
        {"lgfa": {"deficit": "range"}},
        {"lgfa": {"map": "max_logit"}},
        {"lgfa": {"map": "cls_logit"}},
        {"mid": {"head": "single"}},
    ],
)
def test_a_switch_changes_the_output(changes):
    full, other = build().eval(), build(**changes).eval()
    other.load_state_dict(full.state_dict())
    size = 96  # a size that a 2x2 grid does not divide on the coarsest scale
    assert (full(*inputs(size)).logits - other(*inputs(size)).logits).abs().max() > 1e-5


def test_single_head_keeps_the_background_at_zero():
    logits = build(mid={"head": "single"}).eval()(*inputs()).logits
    assert logits[:, 0].abs().max() == 0
    assert logits[:, 1].abs().max() > 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"capm": {"pool": "median"}}, "config.capm"),
        ({"lgfa": {"deficit": "big"}}, "config.lgfa"),
        ({"mid": {"order": "random"}}, "config.decoder"),
        ({"capm": {"interaction": "add", "num_prompts": 3}}, "config.capm"),
        ({"backbone": {"name": "vgg16"}}, "config.backbone"),
        ({"dimm": 3}, "config.unknown_key"),
    ],
)
def test_a_switch_without_meaning_is_refused(changes, code):
    with pytest.raises(ConfigError) as caught:
        build(**changes)
    assert caught.value.code == code


def linear(layer, vector):
    return layer.weight @ vector + layer.bias


def literal_attention(attention, queries, keys, valid):
    """Multi-head attention, one query, head and key at a time."""
    heads = attention.heads
    rows = []
    for query in queries:
        q = linear(attention.query, query).chunk(heads)
        k = [linear(attention.key, key).chunk(heads) for key in keys]
        v = [linear(attention.value, key).chunk(heads) for key in keys]
        parts = []
        for head in range(heads):
            scores = [q[head] @ k[n][head] / math.sqrt(len(q[head])) for n in range(len(keys)) if valid[n]]
            weights = torch.stack(scores).softmax(0)
            values = [v[n][head] for n in range(len(keys)) if valid[n]]
            parts.append(sum(w * value for w, value in zip(weights, values, strict=True)))
        rows.append(linear(attention.out, torch.cat(parts)))
    return torch.stack(rows)


def literal_norm(norm, vector):
    centred = vector - vector.mean()
    return centred / torch.sqrt((centred**2).mean() + norm.eps) * norm.weight + norm.bias


def test_capm_equation():
    """models.md 1.b.2: F_i, F_c and P_hat, pooled by loops."""
    torch.manual_seed(0)
    module = PromptModulation([6, 10], 8, CapmConfig(heads=2)).double()
    maps = [torch.rand(1, 6, 8, 8).double(), torch.rand(1, 10, 4, 4).double()]
    tokens = []
    for projection, x in zip(module.projections, maps, strict=True):
        half = x.shape[-1] // 2
        cells = [x[0].mean((1, 2))]
        cells += [
            x[0, :, r * half : (r + 1) * half, c * half : (c + 1) * half].mean((1, 2)) for r in (0, 1) for c in (0, 1)
        ]
        tokens += [linear(projection, cell) for cell in cells]
    context = torch.stack(tokens)
    seen = literal_attention(module.attention, module.prompts, context, [True] * len(context))
    literal = torch.stack([literal_norm(module.norm, p + s) for p, s in zip(module.prompts, seen, strict=True)])
    torch.testing.assert_close(module.context(maps)[0], context, atol=1e-10, rtol=0)
    torch.testing.assert_close(module(maps)[0], literal, atol=1e-10, rtol=0)


@pytest.mark.parametrize("kind", ["mean_logit", "max_logit", "cls_logit"])
@pytest.mark.parametrize("deficit", ["max_minus_mean", "std", "range", "none"])
def test_lgfa_equations(kind, deficit):
    """models.md 1.b.3 (1) to (4), pixel by pixel and word by word."""
    torch.manual_seed(0)
    dim, sizes = 8, [4, 2]
    module = FeatureAggregation([5, 7], 6, dim, LgfaConfig(heads=2, map=kind, deficit=deficit)).double()
    with torch.no_grad():
        module.scale_weights.copy_(torch.tensor([0.3, -0.4]))
        if deficit != "none":
            module.beta.fill_(0.7)
    maps = [torch.rand(1, c, s, s).double() for c, s in zip([5, 7], sizes, strict=True)]
    words, mask = torch.rand(1, 4, 6).double(), torch.tensor([[True, True, True, False]])
    projected = module.project(maps)
    guided, fused = module(projected, words, mask)

    keys = torch.stack([linear(module.words, word) for word in words[0]])
    vectors, relevance = [], []
    for attention, norm, x in zip(module.interactions, module.norms, projected, strict=True):
        pixels = [x[0, :, r, c] for r in range(x.shape[2]) for c in range(x.shape[3])]
        seen = literal_attention(attention, pixels, keys, mask[0])
        vectors.append([literal_norm(norm, p + s) for p, s in zip(pixels, seen, strict=True)])
        scores = []
        for vector in vectors[-1]:
            query = linear(module.map_query, vector)
            products = [query @ linear(module.map_key, word) / math.sqrt(dim) for word in words[0][:3]]
            scores.append({"mean_logit": sum(products) / 3, "max_logit": max(products), "cls_logit": products[0]}[kind])
        relevance.append(torch.sigmoid(torch.stack(scores)).view(1, 1, *x.shape[2:]))
    resized = [resize(a, (4, 4)) for a in relevance]
    shares = torch.tensor([0.3, -0.4]).double().softmax(0)
    mean = shares[0] * resized[0] + shares[1] * resized[1]
    both = torch.stack(resized)
    gaps = {
        "max_minus_mean": torch.maximum(*resized) - mean,
        "std": ((both - both.mean(0)) ** 2).mean(0).sqrt(),
        "range": torch.maximum(*resized) - torch.minimum(*resized),
        "none": torch.zeros_like(mean),
    }
    literal = mean + 0.7 * gaps[deficit]
    torch.testing.assert_close(fused, literal, atol=1e-8, rtol=0)
    for x, pixels in zip(guided, vectors, strict=True):
        maps_of = torch.stack(pixels).T.view(1, dim, *x.shape[2:])
        torch.testing.assert_close(x, maps_of * (1 + resize(literal, x.shape[2:])), atol=1e-8, rtol=0)


def test_the_deficit_is_zero_where_scales_agree():
    module = FeatureAggregation([4, 4], 6, 8, LgfaConfig(heads=2, beta=1.0))
    same = torch.full((1, 1, 3, 3), 0.4)
    torch.testing.assert_close(module.compensate([same, same]), same)
    lone = module.compensate([same, torch.full((1, 1, 3, 3), 0.8)])
    torch.testing.assert_close(lone, torch.full((1, 1, 3, 3), 0.8))


def test_prompts_come_after_the_words_and_take_no_position():
    """models.md 1.b.2: H_0 = [BertEmbeddings(ids); P_hat]; attention mask [m; 1...1]."""
    model = build().eval()
    _, ids, mask = inputs(batch=1)
    prompts = torch.rand(1, 4, 32)
    states = torch.cat([model.linguistic.embeddings(ids), prompts], dim=1)
    whole = torch.cat([mask, torch.ones(1, 4, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(model.linguistic(ids, mask, prompts), model.linguistic.run_layers(states, whole))


@pytest.mark.parametrize(("preset", "millions"), [("crobim_swin_base_480", 230), ("crobim_convnext_base_480", 230)])
def test_full_size_parameter_count(preset, millions):
    with torch.device("meta"):
        model = create_model(preset)
    count = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert abs(count - millions) < 0.03 * millions
