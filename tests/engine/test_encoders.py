"""Pre-trained encoders: timm's and Hugging Face's files fill ours, and what does not fit is named."""

from rrsis_core.models import create_model  # before timm and transformers: it lets them be imported

# isort: split
import pytest
import timm
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from rrsis_core.contract import WeightsError
from rrsis_core.engine.encoders import load_backbone, load_bert

TINY = {"bert": {"vocab_size": 50, "hidden": 32, "layers": 4, "heads": 2, "intermediate": 32}, "img_size": 64}
SWIN = "swin_tiny_patch4_window7_224"


def model(name, **changes):
    return create_model("lavt_convnext_pico_256", backbone={"name": name}, decoder_dim=16, **{**TINY, **changes})


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_convnext_is_filled(tmp_path, suffix):
    source = timm.create_model("convnext_atto")  # with its head, as files have it
    path = tmp_path / f"convnext{suffix}"
    if suffix == ".pth":
        torch.save({"model": source.state_dict()}, path)
    else:
        save_file(source.state_dict(), path)
    filled = model("convnext_atto")
    load_backbone(filled, path)
    images = torch.rand(1, 3, 64, 64)
    ours = filled.eval().visual
    assert torch.equal(ours.stages(ours.stem(images)), source.eval().stages(source.stem(images)))


def test_a_resnet_is_filled(tmp_path):
    source = timm.create_model("resnet10t").eval()  # with its head
    save_file(source.state_dict(), tmp_path / "resnet.safetensors")
    filled = model("resnet10t").eval()
    load_backbone(filled, tmp_path / "resnet.safetensors")
    images = torch.rand(1, 3, 64, 64)
    x = filled.visual.stem(images)
    for index in range(4):
        x = filled.visual.run_stage(index, x)
    torch.testing.assert_close(x, source.forward_features(images))


def test_microsofts_swin_is_filled(tmp_path):
    """The original file has `downsample` a stage earlier, and buffers that are not loaded."""
    source = timm.create_model(SWIN)
    state = {}
    for key, value in source.state_dict().items():
        name, number, *rest = key.split(".")
        moved = name == "layers" and rest[0] == "downsample"
        state[".".join([name, str(int(number) - 1), *rest]) if moved else key] = value
    state["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49)
    state["norm.weight"], state["norm.bias"] = torch.ones(768), torch.zeros(768)
    torch.save({"model": state}, tmp_path / "swin_tiny_patch4_window7_224.pth")
    filled = model(SWIN, img_size=224)
    load_backbone(filled, tmp_path / "swin_tiny_patch4_window7_224.pth")
    ours, theirs = filled.visual.stages[1].downsample.reduction, source.layers[1].downsample.reduction
    assert torch.equal(ours.weight, theirs.weight)


def test_a_bert_is_filled(tmp_path):
    sizes = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
    source = BertModel(BertConfig(**sizes, intermediate_size=32, max_position_embeddings=64), add_pooling_layer=False)
    source.save_pretrained(tmp_path)
    filled = model("convnext_atto")
    load_bert(filled, tmp_path)
    ours, theirs = filled.linguistic.layers[3].output.dense, source.encoder.layer[3].output.dense
    assert torch.equal(ours.weight, theirs.weight)
    words = filled.linguistic.embeddings.word_embeddings
    assert torch.equal(words.weight, source.embeddings.word_embeddings.weight)


@pytest.mark.parametrize(
    ("load", "name"), [(load_backbone, "convnext_atto.d2_in1k"), (load_bert, "google-bert/bert-base-uncased")]
)
def test_a_name_is_asked_of_the_hub(load, name, monkeypatch):
    """Without a network, the name is said, and what to do; nothing is fetched in tests."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=name) as caught:
        load(model("convnext_atto"), name)
    assert caught.value.code == "weights.not_found"


def test_what_does_not_fit_is_refused(tmp_path):
    save_file(timm.create_model("convnext_femto").state_dict(), tmp_path / "femto.safetensors")
    state = timm.create_model("convnext_atto").state_dict()
    del state["stages.1.downsample.0.weight"]
    save_file(state, tmp_path / "part.safetensors")
    save_file(timm.create_model("convnext_atto").state_dict() | {"more": torch.ones(1)}, tmp_path / "more.safetensors")
    (tmp_path / "damaged.pth").write_bytes(b"nothing")
    sizes = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
    BertModel(BertConfig(**sizes, intermediate_size=32)).save_pretrained(tmp_path / "bert")
    for call, path, code in (
        (load_backbone, "none.pth", "weights.not_found"),
        (load_backbone, "femto.safetensors", "weights.keys"),
        (load_backbone, "part.safetensors", "weights.keys"),
        (load_backbone, "damaged.pth", "weights.keys"),
        (load_backbone, "more.safetensors", "weights.keys"),
        (load_bert, "none", "weights.not_found"),
        (load_bert, "bert", "weights.keys"),
    ):
        with pytest.raises(WeightsError) as caught:
            call(model("convnext_atto"), tmp_path / path)
        assert caught.value.code == code
