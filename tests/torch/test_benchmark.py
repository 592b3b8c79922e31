"""torch.utils.benchmark: a run includes its result, and reports say what PyTorch's say."""

import time

import pytest
import torch.utils.benchmark as theirs

import pytreemod.torch as ours

mine = ours.utils.benchmark


def slow(x):
    time.sleep(0.002)
    return x


def test_the_value_of_the_statement_is_computed():
    x = ours.ones(3)
    kept = []
    stmt = "y = x + 1\nkept.append(y)\ny"
    measured = mine.Timer(stmt, globals={"x": x, "kept": kept}).timeit(3)
    assert measured.number_per_run == 3 and len(measured.raw_times) == 1 and len(kept) == 5
    assert all(y._read()[0].array is not None for y in kept)


def test_a_gradient_is_computed():
    w = ours.ones(3, requires_grad=True)
    mine.Timer("w.grad = None; (w * 2).sum().backward()", globals={"w": w}).timeit(1)
    assert w._gradient[0].array is not None  # nobody read it
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


def test_setup_and_blocks():
    calls = []
    timer = mine.Timer("f(x)", "x = torch.ones(2)", globals={"f": slow})
    measured = timer.blocked_autorange(callback=lambda number, seconds: calls.append(number), min_run_time=0.02)
    assert 0.002 < measured.median < 0.05 and measured.number_per_run * sum(measured.times) >= 0.02
    assert calls == [measured.number_per_run] * len(measured.times)
    assert timer.adaptive_autorange(threshold=10.0).iqr >= 0


@pytest.mark.parametrize("times", [[3e-6], [1.0, 2.0, 3.0], [1e-3, 1.1e-3, 1.2e-3, 1.3e-3, 9e-3]])
@pytest.mark.parametrize("names", [{}, {"label": "sum", "sub_label": "small", "description": "first"}])
def test_reports(times, names):
    found = []
    for t in (mine, theirs):
        spec = {"stmt": "x + 1", "setup": "x = 2"} | names
        task = t.TaskSpec(**spec) if t is mine else t.TaskSpec(**spec, global_setup="", env=None, num_threads=1)
        m = t.Measurement(10, [10 * each for each in times], task)
        merged = t.Measurement.merge([m, m])
        text = [line.rstrip() for line in repr(m).splitlines()[1:] if "WARNING" not in line and "suggests" not in line]
        found.append(
            (text, m.title, m.as_row_name, m.env, m.significant_figures, m.stmt, len(merged), len(merged[0].times))
        )
        numbers = pytest.approx([m.median, m.mean, m.iqr]), [m.median, m.mean, m.iqr]
        assert numbers[0] == numbers[1]
    text, other = found[0][0], found[1][0]
    assert found[0][1:] == found[1][1:]
    assert [line.replace(" ,", ",") for line in text if "std" not in line] == [
        line.replace(" ,", ",") for line in other[: len(text)]
    ]


@pytest.mark.parametrize(
    "options, error",
    [({"stmt": 3}, ValueError), ({"global_setup": "x"}, ValueError), ({"language": "rust"}, ValueError)],
)
def test_what_is_refused(options, error):
    for t in (mine, theirs):
        with pytest.raises(error):
            t.Timer(**options)
    with pytest.raises(NotImplementedError, match="language"):
        mine.Timer(language="cpp")


def test_units():
    for seconds in (3e-7, 2e-5, 0.1, 7.0, 5000.0):
        assert mine.select_unit(seconds) == theirs.select_unit(seconds)
