"""A small feed-forward network as plain arrays."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats


class Network(msgspec.Struct, frozen=True):
    """Layers with rectified linear units between them, over standardised features.

    Attributes:
        sizes: width of each layer, the features first, 1 last.
        centre, spread: of each feature in training (float64).
        weights: layer after layer (inputs x outputs, row by row), float32; biases: likewise.
        out_centre, out_scale: the prediction is ``out_centre + out_scale * output``.
    """

    sizes: list[int]
    centre: bytes
    spread: bytes
    weights: bytes
    biases: bytes
    out_centre: float
    out_scale: float

    def predict(self, rows: Floats) -> Floats:
        """The prediction for each row of features (n, columns)."""
        weights, biases = np.frombuffer(self.weights, np.float32), np.frombuffer(self.biases, np.float32)
        at = ((rows - np.frombuffer(self.centre)) / np.frombuffer(self.spread)).astype(np.float32)
        w = b = 0
        for k, (inputs, outputs) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            if k:
                at = np.maximum(at, 0)
            at = at @ weights[w : w + inputs * outputs].reshape(inputs, outputs) + biases[b : b + outputs]
            w, b = w + inputs * outputs, b + outputs
        return np.asarray(self.out_centre + self.out_scale * at[:, 0].astype(np.float64))


def network(
    layers: list[tuple[Floats, Floats]], centre: Floats, spread: Floats, out_centre: float, out_scale: float
) -> Network:
    """A network of (weights (inputs, outputs), biases) of each layer."""
    sizes = [layers[0][0].shape[0], *(w.shape[1] for w, _ in layers)]
    weights = np.concatenate([w.ravel() for w, _ in layers]).astype(np.float32)
    biases = np.concatenate([b for _, b in layers]).astype(np.float32)
    return Network(
        sizes, centre.tobytes(), spread.tobytes(), weights.tobytes(), biases.tobytes(), out_centre, out_scale
    )
