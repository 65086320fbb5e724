"""CTC's share of the loss over a run, and what has no share."""

import pytest
import torch

from s2s.config import CtcConfig, ModelConfig
from s2s.data.batches import Batch, collate
from s2s.model import Seq2Seq, build_model
from s2s.training.objectives import batch_losses
from s2s.training.schedule import ctc_share

BANDS, SIZE = 8, 9
SHAPE = ModelConfig.model_validate(
    {
        "frontend": {"kind": "convolution", "channels": 2},
        "tied_embeddings": "output",
        "ctc": True,
        "embedding_width": 8,
        "encoder": {"width": 8, "layers": 1},
        "decoder": {"width": 8},
    }
)


@pytest.mark.parametrize(
    ("fraction", "share"), [(0.0, 1.0), (0.2, 1.0), (0.3, 0.85), (0.4, 0.7), (0.6, 0.4), (0.9, 0.4), (1.2, 0.4)]
)
def test_ctc_comes_alone_and_then_gives_way(fraction: float, share: float) -> None:
    assert ctc_share(CtcConfig(weight=0.4, alone=0.2, annealing=0.4), fraction) == pytest.approx(share)


def test_without_annealing_the_share_falls_at_once() -> None:
    config = CtcConfig(weight=0.3, alone=0.5, annealing=0.0)
    assert [ctc_share(config, fraction) for fraction in (0.0, 0.49, 0.5, 1.0)] == pytest.approx([1.0, 1.0, 0.3, 0.3])
    assert ctc_share(None, 0.0) == 0.0


def model() -> Seq2Seq:
    torch.manual_seed(1)
    return build_model(SHAPE, BANDS, SIZE).eval()


def batch(*lengths: int, labels: int = 3) -> Batch:
    draw = torch.Generator().manual_seed(1)
    pairs = [(torch.randn(length, BANDS, generator=draw), [4, 4, 5, 6, 7, 8][:labels]) for length in lengths]
    return collate(pairs, range(len(pairs)), multiple=16)


def test_the_ctc_loss_is_that_of_torch() -> None:
    net, together = model(), batch(40, 64, 33)
    losses = batch_losses(net, together, smoothing=0.0, ctc_share=1.0)
    assert "likelihood" not in losses
    encoded = net.read(together.source, together.source_lengths)
    assert net.ctc is not None
    log_probs = torch.log_softmax(net.ctc(encoded.values), dim=2).transpose(0, 1)
    steps, labels = torch.tensor([10, 16, 9]), together.target[:, 1:4]
    expected = torch.nn.functional.ctc_loss(log_probs, labels, steps, torch.tensor([3, 3, 3]), reduction="sum")
    torch.testing.assert_close(losses["loss"], expected)


def test_the_total_is_shared_out() -> None:
    net, together = model(), batch(40, 64)
    shared = batch_losses(net, together, smoothing=0.1, ctc_share=0.3)
    alone = batch_losses(net, together, smoothing=0.1, ctc_share=0.0)
    assert "ctc" not in alone
    torch.testing.assert_close(shared["loss"], 0.7 * alone["loss"] + 0.3 * shared["ctc"].double())


def test_a_segment_without_room_for_its_labels_has_no_part_in_ctc() -> None:
    """Twelve frames leave three steps; 4 4 5 needs four."""
    net = model()
    crowded = batch_losses(net, batch(40, 12), smoothing=0.0, ctc_share=1.0)["loss"]
    roomy = batch_losses(net, batch(40), smoothing=0.0, ctc_share=1.0)["loss"]
    torch.testing.assert_close(crowded, roomy)
    only = batch_losses(net, batch(12), smoothing=0.0, ctc_share=1.0)["loss"]
    assert only.item() == 0.0
