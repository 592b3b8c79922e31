"""Pipes against PyTorch's: samples, order, lengths, errors, and in a DataLoader."""

import contextlib
import functools
import importlib
import io
import pickle
import subprocess
import sys
import warnings

import pytest
import torch
import torch.utils.data as theirs

import pytreemod.torch as ptm
import pytreemod.torch.utils.data as ours
from pytreemod.torch.utils.data import _tensors
from tests.torch import pipe_functions as f


def names(data, generator):
    return {
        "d": data,
        "it": data.datapipes.iter,
        "mp": data.datapipes.map,
        "src": lambda n=10: data.datapipes.iter.IterableWrapper(range(n)),
        "seq": lambda n=10: data.datapipes.map.SequenceWrapper(range(n)),
        "wrap": data.datapipes.iter.IterableWrapper,
        "G": generator,
        "settings": importlib.import_module(f"{data.__name__}.graph_settings"),
        "graph": importlib.import_module(f"{data.__name__}.graph"),
        "f": f,
        "io": io,
        "partial": functools.partial,
    }


@pytest.fixture(autouse=True)
def seeds():
    torch.manual_seed(7)
    ptm.manual_seed(7)


def outcome(expression, scope):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "os.fork")  # PyTorch forks its workers, which JAX warns of
        try:
            text = repr(eval(expression, scope))
        except Exception as error:
            text = f"{type(error).__name__}: {error.args[0] if error.args else ''}"
    return text, [str(w.message)[:40] for w in caught]


def check(expression):
    found = outcome(expression, names(ours, ptm.Generator))
    expected = outcome(expression, names(theirs, torch.Generator))
    if "Error: " in expected[0][:20]:  # ours may say more
        expected = expected[0].partition("\n")[0][:60], expected[1]
        found = found[0][: len(expected[0])], found[1]
    assert found == expected
    assert _tensors.seed_draw() == int(torch.empty((), dtype=torch.int64).random_())  # the stream left behind


PIPES = """
list(src()), len(src()), str(src()), repr(src().map(f.double))
list(src().map(f.double)), len(src().map(f.double))
list(wrap([(1, 2, 3)]).map(f.double, input_col=1))
list(wrap([(1, 2, 3)]).map(f.double, 1, -1))
list(wrap([[1, 2, 3]]).map(f.add, [0, 2]))
list(wrap([(1, 2, 3)]).map(f.add, (0, 2), 1))
list(wrap([{"a": 1, "b": 2}]).map(f.double, "a", "c"))
list(wrap([{"a": 1, "b": 2}]).map(f.add, ["a", "b"]))
src().map(f.double, output_col=1)
src().map(f.double, 0, [1, 2])
src().map(f.add)
src().map(f.double, [0, 1])
src().map(f.named)
src().map(3)
src().map(partial(f.add, 1)), list(src().map(partial(f.add, 1)))
list(src().map(lambda x: x + 1))
list(src().filter(f.even))
len(src().filter(f.even))
list(wrap([(1, 2), (2, 3)]).filter(f.even, input_col=0))
list(src().filter(f.double))
list(src().batch(3)), len(src().batch(3)), list(src().batch(3, drop_last=True)), len(src().batch(3, True))
list(src(9).batch(3, True)), type(next(iter(src().batch(2)))).__name__
src().batch(0)
next(iter(src().batch(3))).as_str(".."), list(next(iter(src().batch(3))).raw_iterator())
list(src().batch(3).unbatch()), list(src().batch(2).batch(2).unbatch(2)), list(src().batch(2).batch(2).unbatch(-1))
list(src().unbatch()),
list(src().unbatch(-2)),
list(src().batch(2).unbatch(2)),
list(src().shuffle()), len(src().shuffle())
[list(p) for p in [src().shuffle(buffer_size=3)] for _ in range(2)]
[list(p.set_seed(5)) + list(p) for p in [src().shuffle()]]
list(src().batch(2).shuffle(unbatch_level=1).set_seed(3))
list(src().shuffle().set_shuffle(False))
src().shuffle(buffer_size=0)
list(it.Sampler(src())), len(it.Sampler(src()))
list(it.Sampler(src(), d.RandomSampler)), list(it.Sampler(src(), d.RandomSampler, sampler_kwargs={"num_samples": 3}))
it.Sampler(src().filter(f.even))
list(src(4).batch(2).collate()), list(src(4).collate(collate_fn=f.double)), list(src(4).batch(2).collate(sum))
list(src(3).concat(src(2))), len(src(3).concat(src(2)))
it.Concater()
it.Concater([1])
list(src(3).zip(src(2))), len(src(3).zip(src(2))), list(it.Zipper())
src().zip([1])
list(src(3).mux(src(5))), len(src(3).mux(src(5))), list(src(5).mux(src(3), src(4))), list(it.Multiplexer())
len(src(3).mux(src(5).filter(f.even)))
[list(p) for p in src(5).fork(2)], [len(p) for p in src(5).fork(2)]
[list(p) for p in src(5).fork(2, buffer_size=2)]
[list(p) for p in src(5).fork(2, buffer_size=-1)]
[list(zip(a, b)) for a, b in [src(5).fork(2, buffer_size=1)]]
[list(a) + list(b) + list(a) + list(b) for a, b in [src(5).fork(2)]]
[[next(iter(a)), list(b), list(a), list(b)] for a, b in [src(5).fork(2)]]
[x is y for a, b in [wrap([[1]]).fork(2)] for x, y in zip(a, b)]
[x is y for a, b in [wrap([[1]]).fork(2, copy="deep")] for x, y in zip(a, b)]
src().fork(0)
src().fork(2, copy="other")
src().fork(1)
[list(p) for p in src().demux(2, f.odd)], len(src().demux(2, f.odd)[0])
[list(p) for p in src().demux(2, f.some)],
[list(p) for p in src().demux(2, f.some, drop_none=True)]
[list(p) for p in src().demux(2, f.odd, buffer_size=2)]
[list(p) for p in src().demux(3, f.double)]
src().demux(0, f.odd)
[list(zip(a, b)) for a, b in [src().demux(2, f.odd, buffer_size=1)]]
list(src().groupby(f.third)), list(src().groupby(f.third, group_size=2)), list(src().groupby(f.third, keep_key=True))
list(src().groupby(f.third, buffer_size=4, group_size=3, guaranteed_group_size=2))
list(src().groupby(f.third, buffer_size=2, group_size=2))
list(src().groupby(f.third, buffer_size=2, group_size=2, drop_remaining=True))
src().groupby(f.third, group_size=0)
src().groupby(f.third, guaranteed_group_size=2)
list(src().sharding_filter())
[(list(p), len(p)) for k in range(3) for p in [settings.apply_sharding(src().sharding_filter(), 3, k)]]
settings.apply_sharding(src().sharding_filter().map(f.double).sharding_filter(), 3, 0)
settings.apply_sharding(src().sharding_filter(), 3, 3)
settings.apply_sharding(3, 3, 3)
list(settings.apply_random_seed(src().shuffle().zip(src().shuffle()), G().manual_seed(3)))
[str(p) for p in settings.get_all_graph_pipes(graph.traverse_dps(src().zip(src().fork(2)[0])))]
list(it.StreamReader(wrap([("a", io.StringIO("abc"))], deepcopy=False), chunk=2))
src().nothing
sorted(n for n in d.IterDataPipe.functions if n not in ("routed_decode", "_dataframes_as_tuples") and "ame" not in n)
sorted(d.MapDataPipe.functions)
d.functional_datapipe("map")(type("P", (d.IterDataPipe,), {}))
list(seq()), len(seq()), seq()[3], str(seq()), mp.SequenceWrapper({"a": 1})["a"]
list(seq().map(f.double)), list(seq().batch(3)), len(seq().batch(3)), list(seq().batch(3, True)), seq().batch(3)[3]
seq().batch(3, True)[3]
list(seq(3).concat(seq(2))), list(seq(3).zip(seq(2))), len(seq(3).zip(seq(2))), len(seq(3).concat(seq(2)))
seq(3).concat(seq(2))[5]
seq(3).zip(seq(2))[2]
mp.Zipper()
mp.Concater([1])
[list(p) + list(p) for p in [seq().shuffle()]]
[list(p.set_seed(0)) + list(p) for p in [seq().shuffle(indices=[3, 1, 4, 8])]]
list(seq().shuffle().set_shuffle(False)), len(seq().shuffle())
list(src(2) + src(3)), list(seq(2) + seq(3))
"""


@pytest.mark.parametrize("expression", PIPES.strip().splitlines())
def test_pipes_match_pytorch(expression):
    check(expression)


LOADERS = """
[b for b in d.DataLoader(src().shuffle(), batch_size=4)]
[[b.tolist() for b in l] for l in [d.DataLoader(src().shuffle().map(f.double), batch_size=4)] for _ in range(2)]
[b.tolist() for b in d.DataLoader(src().shuffle().map(f.double), batch_size=4, generator=G().manual_seed(3))]
[b.tolist() for b in d.DataLoader(src().shuffle(), shuffle=True, batch_size=4, drop_last=True)]
[b.tolist() for b in d.DataLoader(src().shuffle(), shuffle=False, batch_size=4)]
[b for b in d.DataLoader(src().shuffle().zip(src().shuffle()), batch_size=None)]
[b for b in d.DataLoader(src().shuffle().sharding_filter().batch(3), batch_size=None)]
[b for b in d.DataLoader(src().shuffle().batch(4).collate(), batch_size=None)]
len(d.DataLoader(src().shuffle(), batch_size=3)), len(d.DataLoader(src().batch(2), batch_size=None))
[b.tolist() for b in d.DataLoader(seq().map(f.double), batch_size=4, shuffle=True)]
[b.tolist() for b in d.DataLoader(seq().shuffle(), batch_size=4)]
d.DataLoader(src(), sampler=[1])
d.DataLoader(src(), batch_sampler=[[1]])
"""


@pytest.mark.parametrize("expression", LOADERS.strip().splitlines())
def test_a_loader_of_pipes_matches_pytorch(expression):
    check(expression)


def test_a_loader_that_shuffles_pipes_without_a_shuffler_adds_one():
    with pytest.warns(UserWarning, match="Adding one at the end"):
        loader = ours.DataLoader(ours.datapipes.iter.IterableWrapper(range(50)), batch_size=None, shuffle=True)
    found = list(loader)
    assert sorted(found) == list(range(50)) != found


@pytest.mark.filterwarnings("ignore:os.fork")  # PyTorch forks its workers, which JAX warns of
def test_workers_share_and_shuffle_as_pytorchs():
    def batches(data):
        pipe = data.datapipes.iter.IterableWrapper(range(12)).shuffle().sharding_filter().map(f.double)
        loader = data.DataLoader(pipe, batch_size=3, num_workers=2, persistent_workers=True)
        return [[batch.tolist() for batch in loader] for _ in range(2)]

    assert batches(ours) == batches(theirs)
    assert _tensors.seed_draw() == int(torch.empty((), dtype=torch.int64).random_())


WORKERS = """
[b.tolist() for b in d.DataLoader(seq(9).map(f.double), batch_size=2, shuffle=True, num_workers=2)]
[b.tolist() for b in d.DataLoader(src(9), batch_size=2, num_workers=2)]
[b for b in d.DataLoader(src(6).fork(2)[1].sharding_filter(), batch_size=None, num_workers=2, shuffle=False)]
"""


@pytest.mark.parametrize("expression", WORKERS.strip().splitlines())
def test_pipes_in_workers_match_pytorch(expression):
    check(expression)


def test_a_newer_iterator_ends_the_older():
    for data in (ours, theirs):
        pipe = data.datapipes.iter.IterableWrapper(range(5))
        older, newer = iter(pipe), iter(pipe)
        assert next(older) == next(newer) == 0
        with pytest.raises(RuntimeError, match="This iterator has been invalidated because another iterator"):
            next(older)
        assert next(newer) == 1
        first, second = pipe.fork(2)
        older, other = iter(first), iter(second)
        next(older), next(other)
        with pytest.warns(UserWarning, match="Some child DataPipes are not exhausted"):
            newer = iter(first)
        with pytest.raises(RuntimeError, match="from one of the ChildDataPipes of"):
            next(other)
        assert next(newer) == 0


def test_an_error_names_the_pipe_it_came_from():
    for data in (ours, theirs):
        with pytest.raises(ZeroDivisionError, match=r"thrown by __iter__ of MapperIterDataPipe\(.*fn=inverse"):
            list(data.datapipes.iter.IterableWrapper(range(3)).map(f.inverse).batch(2))


def test_pipes_are_pickled_with_what_they_read():
    pipe = ours.datapipes.iter.IterableWrapper(range(9)).shuffle().set_seed(3)
    a, b = pickle.loads(pickle.dumps(pipe.fork(2)))
    assert list(a) == list(b) == list(pipe.set_seed(3))


def test_files(tmp_path):
    for name in ("b.txt", "a.txt", "in/c.txt", "in/d.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}")

    def found(data):
        lister = functools.partial(data.datapipes.iter.FileLister, str(tmp_path))
        lines = lister("*.txt", recursive=True).open_files("r").read_from_stream()
        chunks = lister(["*.bin", "a*"], recursive=True).open_files(mode="b").read_from_stream(4)
        opened = [next(iter(row[1])) for row in lister("a*").open_files()]
        roots = data.datapipes.iter.IterableWrapper([str(tmp_path / "in")]).list_files()
        return list(lister()), list(lines), list(chunks), opened, list(roots), len(lister(length=3))

    assert found(ours) == found(theirs)
    for data in (ours, theirs):
        with pytest.raises(ValueError, match="Invalid mode w"):
            data.datapipes.iter.FileOpener([], mode="w")
        with pytest.raises(TypeError, match="Expected string type for pathname"):
            list(data.datapipes.iter.FileOpener([3]))
        with pytest.warns(UserWarning), pytest.raises(FileNotFoundError):
            list(data.datapipes.iter.FileLister("/no/such/folder"))


def own_pipes(data, name):
    """What pipes of a user's own give."""
    log = []

    class Counter(data.IterDataPipe):
        def __init__(self, n):
            self.n = n

        def __iter__(self):
            self.i = 0
            return self

        def __next__(self):
            if self.i == self.n:
                raise StopIteration
            self.i += 1
            return self.i

        def reset(self):
            log.append("reset")

    @data.functional_datapipe(name)
    class Own(data.IterDataPipe):
        def __init__(self, source, plus):
            self.source, self.plus = source, plus

        def __iter__(self):
            for x in self.source:
                yield x + self.plus

    found = [list(Counter(3)), list(getattr(Counter(4), name)(2))]
    rule = data.non_deterministic(type("Loose", (Counter,), {}))
    part = data.non_deterministic(lambda n: n > 3)(type("Half", (Counter,), {}))
    for switch in (contextlib.nullcontext, data.guaranteed_datapipes_determinism):
        with switch():
            for make in (lambda: rule(3), lambda: part(3), lambda: part(4)):
                try:
                    found.append(list(make()))
                except TypeError as error:
                    found.append(str(error)[:40])
    for wrong in (lambda: data.non_deterministic(3), lambda: data.non_deterministic(dict)):
        with pytest.raises(TypeError) as error:
            wrong()
        found.append(str(error.value))
    return found, log


def test_pipes_of_ones_own_and_decorators():
    assert own_pipes(ours, "own_ours") == own_pipes(theirs, "own_theirs")


class Ints(ours.IterDataPipe[int]):
    def __init__(self, values):
        self.values = values

    @ours.runtime_validation
    def __iter__(self):
        yield from self.values


class Pairs(ours.IterDataPipe[tuple[int, str]]):
    def __init__(self, values):
        self.values = values

    @ours.runtime_validation
    def __iter__(self):
        yield from self.values


def test_samples_and_arguments_are_checked_against_the_type_in_brackets():
    assert list(Ints([1, 2])) == [1, 2]
    assert list(Pairs([(1, "a")])) == [(1, "a")]
    for wrong in (Ints([1, 0.5]), Pairs([(1, 2)]), Pairs([(1, "a", 2)])):
        with pytest.raises(RuntimeError, match="Expected an instance as subtype of"):
            list(wrong)
        with ours.runtime_validation_disabled():
            assert list(wrong) == wrong.values
    with pytest.raises(TypeError, match="Can not decorate function double"):
        ours.runtime_validation(f.double)

    @ours.argument_validation
    def takes(pipe: ours.IterDataPipe[int | str]):
        return "taken"

    assert takes(Ints([])) == "taken"
    with pytest.raises(TypeError, match="Expected argument 'pipe' as a IterDataPipe"):
        takes(3)
    with pytest.raises(TypeError, match="Expected type of argument 'pipe' as a subtype"):
        takes(Pairs([]))


def test_steps_load_when_they_are_first_asked_for():
    code = """if True:
        import sys
        import pytreemod.torch as torch
        assert not [name for name in sys.modules if "datapipes" in name]
        from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
        class Three(IterDataPipe):
            def __iter__(self):
                yield from range(3)
        print(list(Three().map(str).batch(2)), torch.utils.data.datapipes.map.SequenceWrapper("ab").batch(2)[0])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[['0', '1'], ['2']] ['a', 'b']\n", done.stderr


def test_every_name_is_there():
    assert not {n for n in theirs.__all__ if not hasattr(ours, n)}
    for kind in ("iter", "map"):
        there = set(getattr(theirs.datapipes, kind).__all__)
        assert there - set(getattr(ours.datapipes, kind).__all__) <= {"RoutedDecoder"}
