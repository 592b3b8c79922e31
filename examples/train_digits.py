"""The main job: a convolutional network learns the digits in all three ways, from the same seed.

Stateful is an ordinary PyTorch program over ``pytreemod.torch``; compiled wraps its step in
``torch.compile``; functional is a pure step under plain ``jax.jit``. They are in ``digits_cnn.py``.
Run: python examples/train_digits.py [--epochs 8] [--seed 0]
"""

import argparse
import sys
import time

from digits_cnn import train_functional, train_torch

WAYS = ("stateful", "compiled", "functional")
STEPS_PER_EPOCH = 23  # 1500 digits in batches of 64


def train(way, steps, seed, started):
    """Run one way with a progress line: (loss of each step, accuracy, seconds for each step)."""
    training = train_functional(steps, seed) if way == "functional" else train_torch(way, steps, seed)
    losses, times = [], [time.perf_counter()]
    while True:
        try:
            losses.append(next(training))
        except StopIteration as end:
            return losses, end.value, [b - a for a, b in zip(times, times[1:], strict=False)]
        times.append(time.perf_counter())
        if len(losses) % 10 == 0 or len(losses) == steps:
            bar = "#" * (24 * len(losses) // steps)
            passed = time.perf_counter() - started
            line = f"{way:<11}[{bar:<24}] step {len(losses):4d}/{steps}  loss {losses[-1]:.4f}  {passed:5.1f} s"
            end = "\r" if sys.stderr.isatty() and len(losses) < steps else "\n"
            if end == "\r" or len(losses) == steps:
                print(line, end=end, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    steps = options.epochs * STEPS_PER_EPOCH

    started = time.perf_counter()
    results = {way: train(way, steps, options.seed, started) for way in WAYS}

    print("\nloss, mean of each pass over the data")
    print(f"{'epoch':>7}" + "".join(f"{way:>12}" for way in WAYS))
    for epoch in range(options.epochs):
        part = slice(epoch * STEPS_PER_EPOCH, (epoch + 1) * STEPS_PER_EPOCH)
        means = [sum(results[way][0][part]) / STEPS_PER_EPOCH for way in WAYS]
        print(f"{epoch + 1:>7}" + "".join(f"{mean:12.4f}" for mean in means))
    first = results[WAYS[0]][0]
    gap = max(abs(a - b) for way in WAYS[1:] for a, b in zip(first, results[way][0], strict=True))
    print(f"largest difference at any step: {gap:.1e}, of a first loss of {first[0]:.2f}\n")

    print(f"{'accuracy':<14}" + "".join(f"{results[way][1]:>11.1%} " for way in WAYS) + "  on 297 unseen digits")
    # the first steps compile; the median tells what a step costs afterwards
    medians = [sorted(results[way][2])[steps // 2] * 1e3 for way in WAYS]
    print(f"{'time per step':<14}" + "".join(f"{median:>8.2f} ms " for median in medians))
    print(f"{'compiling':<14}" + "".join(f"{max(results[way][2]):>9.1f} s " for way in WAYS))


if __name__ == "__main__":
    main()
