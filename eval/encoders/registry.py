"""The open encoders whose weights a user may fetch: what for, which files, under which licence.

A fact that nobody has checked is absent, and is shown as such: a hash (then the first pull pins it), a size, a licence
(then it must be accepted as `unrecorded`), a source (then `pull` asks for `--from`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from eval.registry import Registry

Format = Literal["transformers", "safetensors", "torchscript", "onnx"]
"""transformers: config.json and safetensors, as its save_pretrained writes. torchscript: a program, run when loaded."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file. name: without folders; `*.onnx` stands for all files of a folder that fit. bytes, sha256: if known."""

    name: str
    sha256: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """name: as a user must write it to accept it. commercial: whether commercial use is known to be allowed."""

    name: str
    commercial: bool
    note: str


UNRECORDED = Licence("unrecorded", commercial=False, note="nobody recorded it here: read it where you get the weights")
OPENAI_CLIP = Licence(
    "mit",
    commercial=False,
    note="the LICENSE of openai/CLIP, which does not say whether it covers the weights; their card calls every "
    "deployed use out of scope",
)
INSIGHTFACE = Licence(
    "non-commercial", commercial=False, note="insightface's packs are for research only, unlike its code"
)


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder's weights.

    version: ours; rises when the files or their hashes change, and older copies must then be pulled again.
    model_type: what config.json of a transformers folder must say, so that another network's weights are refused.
    source: where `pull` goes, written as for `--from`; empty where none is recorded.
    by_hand: how to come by the files otherwise.
    """

    name: str
    version: int
    purpose: str
    architecture: str
    format: Format
    files: tuple[WeightFile, ...]
    by_hand: str
    model_type: str = ""
    licence: Licence = UNRECORDED
    source: str = ""

    @property
    def bytes(self) -> int | None:
        """The sum of the files' sizes; None where one of them is not known."""
        sizes = [file.bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def known_sha256(self, name: str) -> str | None:
        """The recorded hash of the file called `name`; None where none is recorded."""
        return next((file.sha256 for file in self.files if file.name == name), None)


def _of_transformers(
    name: str,
    model_type: str,
    architecture: str,
    purpose: str,
    *,
    text: bool = False,
    hub: str,
    licence: Licence = UNRECORDED,
) -> Encoder:
    files = ("config.json", "model.safetensors", *(("tokenizer.json",) if text else ()))
    return Encoder(
        name=name,
        version=1,
        purpose=purpose,
        architecture=architecture,
        format="transformers",
        files=tuple(map(WeightFile, files)),
        by_hand="a folder or a hub repository that transformers loads, with its weights as safetensors",
        model_type=model_type,
        licence=licence,
        source=f"hub:{hub}",
    )


def _saved_again(file: str, place: str, part: str = "") -> str:
    """How a published pickle becomes safetensors: one line for a shell. part: where in it the tensors lie."""
    return (
        f"fetch {file} from {place}, and run "
        f"python -c \"import torch, safetensors.torch as s; t = torch.load('{file}', 'cpu', weights_only=True){part}; "
        "s.save_file({k.removeprefix('module.'): v.clone().contiguous() for k, v in t.items()}, 'model.safetensors')\""
    )


def _encoders() -> Iterator[Encoder]:
    yield _of_transformers(
        "clip-vit-b-32",
        "clip",
        "CLIP ViT-B/32",
        "background consistency, style, CLIPScore of frames",
        text=True,
        hub="openai/clip-vit-base-patch32",
        licence=OPENAI_CLIP,
    )
    yield _of_transformers(
        "clip-vit-l-14",
        "clip",
        "CLIP ViT-L/14",
        "aesthetic quality (under laion-aesthetic)",
        text=True,
        hub="openai/clip-vit-large-patch14",
        licence=OPENAI_CLIP,
    )
    yield _of_transformers(
        "dino-vit-b-16",
        "vit",
        "DINO ViT-B/16",
        "subject consistency",
        hub="facebook/dino-vitb16",
        licence=Licence("apache-2.0", commercial=True, note="so says the card of facebook/dino-vitb16"),
    )
    yield _of_transformers(
        "dinov2-vit-b-14",
        "dinov2",
        "DINOv2 ViT-B/14",
        "consistency, distances between sets",
        hub="facebook/dinov2-base",
        licence=Licence("apache-2.0", commercial=True, note="so says facebookresearch/dinov2, of code and weights"),
    )
    yield _of_transformers(
        "videomae-vit-b",
        "videomae",
        "VideoMAE ViT-B",
        "Fréchet video distance, diversity",
        hub="MCG-NJU/videomae-base",
        licence=Licence("cc-by-nc-4.0", commercial=False, note="the LICENSE of MCG-NJU/VideoMAE"),
    )
    yield _of_transformers(
        "vjepa2-vit-l",
        "vjepa2",
        "V-JEPA 2 ViT-L",
        "distances between sets of clips, diversity",
        hub="facebook/vjepa2-vitl-fpc64-256",
        licence=Licence("mit", commercial=True, note="so says facebookresearch/vjepa2 of most of its project"),
    )
    yield _of_transformers(
        "xclip-b-32",
        "xclip",
        "X-CLIP B/32",
        "video-text consistency",
        text=True,
        hub="microsoft/xclip-base-patch32",
        licence=Licence("mit", commercial=True, note="so says the card of microsoft/xclip-base-patch32"),
    )
    yield _of_transformers(
        "clap",
        "clap",
        "LAION CLAP, sound at 48 kHz",
        "sound-text consistency",
        text=True,
        hub="laion/clap-htsat-unfused",
    )
    yield Encoder(
        name="viclip-l",
        version=2,
        purpose="overall consistency and temporal style, as in VBench",
        architecture="ViCLIP-L, trained on InternVid",
        format="safetensors",
        files=(WeightFile("model.safetensors"), WeightFile("tokenizer.json")),
        by_hand=_saved_again("ViClip-InternVid-10M-FLT.pth", "huggingface.co/OpenGVLab/ViCLIP", "['model']")
        + "; tokenizer.json is that of clip-vit-l-14",
        licence=Licence(
            "mit",
            commercial=True,
            note="so says the card of OpenGVLab/ViCLIP, which asks for a promise not to harm people with it",
        ),
    )
    yield Encoder(
        name="musiq-spaq",
        version=1,
        purpose="imaging quality",
        architecture="MUSIQ, trained on SPAQ",
        format="safetensors",
        files=(WeightFile("model.safetensors"),),
        by_hand=_saved_again("musiq_spaq_ckpt-358bb6af.pth", "huggingface.co/chaofengc/IQA-PyTorch-Weights"),
        licence=Licence(
            "cc-by-nc-sa-4.0",
            commercial=False,
            note="so says the card of chaofengc/IQA-PyTorch-Weights; Google's checkpoint, from which they were "
            "converted, has none of its own beside code under Apache-2.0",
        ),
    )
    yield Encoder(
        name="laion-aesthetic",
        version=1,
        purpose="aesthetic quality (on clip-vit-l-14)",
        architecture="linear head on 768 numbers",
        format="safetensors",
        files=(WeightFile("model.safetensors"),),
        by_hand=_saved_again("sa_0_4_vit_l_14_linear.pth", "github.com/LAION-AI/aesthetic-predictor"),
        licence=Licence(
            "mit", commercial=True, note="the LICENSE of LAION-AI/aesthetic-predictor, where the file lies"
        ),
    )
    yield Encoder(
        name="i3d-k400",
        version=1,
        purpose="Fréchet video distance as papers report it",
        architecture="I3D, trained on Kinetics-400",
        format="torchscript",
        files=(WeightFile("i3d_torchscript.pt"),),
        by_hand="the TorchScript file that StyleGAN-V downloads for its FVD",
    )
    yield Encoder(
        name="raft-things",
        version=1,
        purpose="dynamic degree, as in VBench",
        architecture="RAFT, trained on FlyingChairs and FlyingThings, 20 iterations",
        format="torchscript",
        files=(WeightFile("raft_things.pt"),),
        by_hand="export it from VBench's code: the lines are in eval/encoders/open/README.md",
    )
    yield Encoder(
        name="amt-s",
        version=1,
        purpose="motion smoothness, as in VBench",
        architecture="AMT-S",
        format="torchscript",
        files=(WeightFile("amt_s.pt"),),
        by_hand="export it from VBench's code: the lines are in eval/encoders/open/README.md",
        licence=Licence("cc-by-nc-4.0", commercial=False, note="so says MCG-NKU/AMT, of its code"),
    )
    for pack, parts in (("buffalo_l", "SCRFD-10GF, R50@WebFace600K"), ("antelopev2", "R100@Glint360K")):
        yield Encoder(
            name=pack,
            version=1,
            purpose="faces: where they are, and whose",
            architecture=f"insightface pack: {parts}",
            format="onnx",
            files=(WeightFile("*.onnx"),),
            by_hand=f"the unpacked folder of insightface, such as ~/.insightface/models/{pack}",
            licence=INSIGHTFACE,
        )


ENCODERS: Registry[Encoder] = Registry("encoder", ())
for _encoder in _encoders():
    ENCODERS.add(_encoder.name, _encoder)
