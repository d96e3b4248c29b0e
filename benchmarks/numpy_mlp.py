"""The same training in NumPy:  numpy_mlp.py FOLDER BATCH_SIZE OPTIMIZER EPOCHS STEPS

FOLDER is what export_task wrote.
"""

import pathlib
import sys
import time

import numpy as np

ADAM_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
SGD_RATE, MOMENTUM = 0.05, 0.9


class Network:
    def __init__(self, parameters):
        self.parameters = parameters
        self.first = [np.zeros_like(p) for p in parameters]
        self.second = [np.zeros_like(p) for p in parameters]
        self.step = 0

    def gradients(self, x, labels):
        """The mean cross-entropy and its gradients, in the order of the parameters."""
        weights, biases = self.parameters[::2], self.parameters[1::2]
        activations = [x]
        for weight, bias in zip(weights[:-1], biases[:-1]):
            z = activations[-1] @ weight
            z += bias
            activations.append(np.maximum(z, 0, out=z))
        logits = activations[-1] @ weights[-1] + biases[-1]
        logits -= logits.max(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        of_label = logits[rows, labels]
        dz = np.exp(logits)
        sums = dz.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(sums[:, 0]) - of_label)
        dz /= sums
        dz[rows, labels] -= 1
        dz /= np.float32(len(labels))
        found = []
        for weight, a in zip(reversed(weights), reversed(activations)):
            found = [a.T @ dz, dz.sum(axis=0)] + found
            if a is not x:
                dz = dz @ weight.T
                dz *= a > 0
        return loss, found

    def adam(self, gradients):
        self.step += 1
        rate = np.float32(ADAM_RATE / (1 - BETA1**self.step))
        correction = np.float32(1 / (1 - BETA2**self.step))
        for w, g, m, v in zip(self.parameters, gradients, self.first, self.second):
            m *= np.float32(BETA1)
            m += np.float32(1 - BETA1) * g
            v *= np.float32(BETA2)
            v += np.float32(1 - BETA2) * np.square(g)
            root = np.sqrt(v * correction)
            root += np.float32(EPSILON)
            w -= rate * m / root

    def sgd(self, gradients):
        for w, g, m in zip(self.parameters, gradients, self.first):
            m *= np.float32(MOMENTUM)
            m += g
            w -= np.float32(SGD_RATE) * m


def main():
    folder = pathlib.Path(sys.argv[1])
    batch_size, epochs, steps = int(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5])
    images = np.load(folder / "images.npy").reshape(-1, 784).astype(np.float32) / np.float32(255)
    labels = np.load(folder / "labels.npy").astype(np.int64)
    count = len(list(folder.glob("parameter*.npy")))
    network = Network([np.load(folder / f"parameter{i}.npy") for i in range(count)])
    update = network.adam if sys.argv[3] == "adam" else network.sgd
    most = len(images) // batch_size
    steps = min(steps, most) if steps else most
    for epoch in range(epochs):
        order = np.load(folder / f"order{epoch}.npy")
        start = time.perf_counter()
        total = 0.0
        for step in range(steps):
            batch = order[step * batch_size : (step + 1) * batch_size]
            loss, gradients = network.gradients(images[batch], labels[batch])
            update(gradients)
            total += float(loss)
        seconds = time.perf_counter() - start
        rate = steps * batch_size / seconds
        print(f"epoch {epoch} seconds {seconds:.4f} samples_per_second {rate:.0f} loss {total / steps:.4f}", flush=True)


if __name__ == "__main__":
    main()
