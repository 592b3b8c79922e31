"""torch.profiler: schedules as PyTorch's, traces with the names of ranges and how often they ran."""

import gzip
import json

import pytest

import pytreemod.torch as ptt


def schedules(t):
    made = [
        t.profiler.schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1),
        t.profiler.schedule(wait=2, warmup=0, active=1, skip_first=3, skip_first_wait=1),
    ]
    return [[str(s(k)) for k in range(12)] for s in made], str(t.profiler.ProfilerActivity.CPU)


def test_schedules_are_pytorchs(agree):
    agree(schedules)


@pytest.mark.parametrize(
    "case, phrase",
    [
        (lambda t: t.profiler.schedule(wait=-1, warmup=1, active=1), "Invalid profiler schedule arguments"),
        (lambda t: t.profiler.profile(activities=[]), "No valid profiler activities found"),
        (lambda t: t.profiler.profile().key_averages(), "must be initialized before getting key averages"),
        (lambda t: t.cuda.nvtx.range_push("a"), "NVTX functions not installed"),
        (lambda t: t.cuda.nvtx.mark("a"), "NVTX functions not installed"),
    ],
)
def test_refused_as_in_pytorch(refuse, case, phrase):
    refuse(case, phrase)


def test_ranges_are_in_the_table_and_in_the_files(tmp_path):
    ready, x = [], ptt.ones(8, 8)

    @ptt.profiler.record_function("my decorated")
    def function():
        return x.sum().item()

    handler = ptt.profiler.tensorboard_trace_handler(str(tmp_path / "traces"), use_gzip=True)

    def on_ready(profiler):
        ready.append(profiler.step_num)
        handler(profiler)

    plan = ptt.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    with ptt.profiler.profile(schedule=plan, on_trace_ready=on_ready, record_shapes=True) as profiler:
        for _ in range(6):
            with ptt.autograd.profiler.record_function("my range"):
                function()
            profiler.step()
    averages = {a.key: a for a in profiler.key_averages()}
    assert averages["my range"].count == averages["my decorated"].count == 2
    assert averages["my range"].cpu_time_total >= averages["my decorated"].cpu_time_total > 0
    assert ready == [4]
    [file] = (tmp_path / "traces").iterdir()
    assert "my range" in {e.get("name") for e in json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]}
    table = profiler.key_averages().table(sort_by="cpu_time_total", row_limit=-1)
    assert "my range" in table and "# of Calls" in table
    with pytest.raises(NotImplementedError, match="flops"):
        profiler.key_averages().table(sort_by="flops")
