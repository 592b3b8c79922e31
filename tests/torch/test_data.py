"""Data loading against PyTorch: order, batches, errors, and the random stream left behind."""

import collections
import types
import warnings

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import pytreemod.torch.utils.data as ours
from pytreemod.torch.random import Generator, default_generator
from pytreemod.torch.tensor import as_tensor
from pytreemod.torch.utils.data import _tensors

Point = collections.namedtuple("Point", "x y")
OURS = {"d": ours, "tensor": as_tensor, "Generator": Generator}
THEIRS = {"d": theirs, "tensor": torch.from_numpy, "Generator": torch.Generator}
COMMON = {"np": np, "Point": Point, "collections": collections}


@pytest.fixture(autouse=True)
def seeds():
    torch.manual_seed(7)
    default_generator.manual_seed(7)


def outcome(expression, names):
    """What an expression prints, or its error."""
    try:
        return "", repr(eval(expression, {**names, **COMMON}))
    except Exception as error:
        return type(error).__name__, str(error)


def check(expression, beginning=None):
    """Same text from both; of an error where ours says more, the first ``beginning`` characters."""
    found, expected = outcome(expression, OURS), outcome(expression, THEIRS)
    assert found[0] == expected[0], (found, expected)
    text = [
        part[1].replace("pytreemod.torch.utils.data.", "").replace("torch.utils.data.", "")
        for part in (found, expected)
    ]
    if found[0]:
        text = [part[: beginning or len(expected[1])] for part in text]
    assert text[0] == text[1]


def check_streams():
    """Both default generators stand at the same place."""
    assert _tensors.seed_draw() == int(torch.empty((), dtype=torch.int64).random_())


SAMPLERS = [
    "d.SequentialSampler(range(4))",
    "d.RandomSampler(range(1))",
    "d.RandomSampler(range(50))",
    "d.RandomSampler(range(10), num_samples=25)",
    "d.RandomSampler(range(10), num_samples=3)",
    "d.RandomSampler(range(10), replacement=True)",
    "d.RandomSampler(range(10), replacement=True, num_samples=70)",
    "d.RandomSampler(range(10), generator=Generator().manual_seed(5))",
    "d.SubsetRandomSampler([3, 1, 9, 'a'])",
    "d.SubsetRandomSampler([])",
    "d.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 40)",
    "d.WeightedRandomSampler([0.9, 0.4, 0.05, 0.2, 0.3, 0.1], 6, replacement=False)",
    "d.WeightedRandomSampler([0.0, 4, 0, 2], 2, replacement=False)",
    "d.WeightedRandomSampler([1, 2, 3], 1)",
    "d.WeightedRandomSampler(np.arange(100.0), 100)",
    "d.WeightedRandomSampler(tensor(np.arange(300.0) + 1), 200, replacement=False)",
    "d.BatchSampler(d.SequentialSampler(range(10)), 3, False)",
    "d.BatchSampler(d.SequentialSampler(range(10)), 3, True)",
    "d.BatchSampler(range(9), 3, True)",
    "d.BatchSampler(d.RandomSampler(range(9)), 4, False)",
]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers_give_pytorchs_order_and_leave_its_stream(sampler):
    check(f"[(len(s), list(s), list(s)) for s in [{sampler}]]")
    check_streams()


@pytest.mark.parametrize(
    "sampler",
    [
        "d.RandomSampler([])",
        "d.RandomSampler([1], replacement=1)",
        "d.RandomSampler([1], num_samples=0)",
        "d.RandomSampler([1], num_samples=2.0)",
        "d.WeightedRandomSampler([1], True)",
        "d.WeightedRandomSampler([1], 1, replacement=0)",
        "d.WeightedRandomSampler([[1.0]], 1)",
        "list(d.WeightedRandomSampler([1.0, 2], 3, replacement=False))",
        "list(d.WeightedRandomSampler([1.0, -2], 2))",
        "list(d.WeightedRandomSampler([1.0, -2], 2, replacement=False))",
        "list(d.WeightedRandomSampler([1.0, float('inf')], 2))",
        "list(d.WeightedRandomSampler([1.0, float('nan')], 1))",
        "list(d.WeightedRandomSampler([0.0, 0.0], 2))",
        "d.BatchSampler([1], 0, False)",
        "d.BatchSampler([1], True, False)",
        "d.BatchSampler([1], 2, 1)",
    ],
)
def test_samplers_refuse_what_pytorch_refuses(sampler):
    assert outcome(sampler, THEIRS)[0]
    check(sampler)


DATASETS = [
    "d.TensorDataset(tensor(np.arange(6.0).reshape(3, 2)), tensor(np.arange(3)))[1]",
    "d.TensorDataset(tensor(np.arange(3)))[1:]",
    "len(d.TensorDataset(tensor(np.zeros((4, 2)))))",
    "[(len(c), [c[i] for i in range(-5, 5)]) for c in [d.ConcatDataset([range(3), range(10, 12)])]]",
    "d.ConcatDataset([range(3)])[-4]",
    "d.ConcatDataset([range(3)])[3]",
    "[len(c) for c in [d.Subset([1, 2], [0]) + d.Subset([1, 2], [1, 0])]]",
    "[(s[1], s[[0, 2]]) for s in [d.Subset(np.arange(10) * 2, [5, 3, 1])]]",
    "d.Subset(range(9), [5, 3, 1]).__getitems__([2, 0])",
    "[(len(s), s[1]) for s in [d.StackDataset([1, 2], 'ab')]]",
    "[(len(s), s[1]) for s in [d.StackDataset(a=[1, 2], b='ab')]]",
    "[s.indices for s in d.random_split(range(10), [3, 7])]",
    "[s.indices for s in d.random_split(range(10), [3, 7], generator=Generator().manual_seed(42))]",
    "[s.indices for s in d.random_split(range(31), [0.3, 0.3, 0.4])]",
    "[s.indices for s in d.random_split(range(5), [0.5, 0.5])]",
    "d.TensorDataset(tensor(np.zeros(2)), tensor(np.zeros(3)))",
    "d.ConcatDataset([])",
    "d.ConcatDataset([d.ChainDataset([])])",
    "d.IterableDataset()",
    "d.StackDataset([1], [1, 2])",
    "list(d.ChainDataset([[1]]))",
    "d.random_split(range(10), [3, 6])",
    "d.random_split(range(10), [1.5, -0.5])",
    "d.Dataset()[0]",
    "type('S', (d.Subset,), {'__getitem__': lambda s, i: 0})([1], [0])",
]
LOOSE = {  # ours says more than PyTorch, or says it in other words; the type is the same
    "d.ConcatDataset([range(3)])[3]": 0,
    "d.ConcatDataset([d.ChainDataset([])])": 46,
    "d.StackDataset([1], [1, 2])": 30,
    "d.Dataset()[0]": 0,
    DATASETS[-1]: 44,
}


@pytest.mark.parametrize("expression", DATASETS)
def test_datasets_match_pytorch(expression):
    if expression in LOOSE:
        assert outcome(expression, OURS)[0] == outcome(expression, THEIRS)[0]
        check_beginning = LOOSE[expression]
        if check_beginning:
            check(expression, check_beginning)
    else:
        check(expression)
    check_streams()


def test_a_split_of_nothing_warns():
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        parts = ours.random_split(range(2), [1.0, 0.0])
    assert [len(p) for p in parts] == [2, 0]


BATCHES = [
    "[np.float32(1), np.float32(2)]",
    "[np.int8(1), np.int8(2)]",
    "[np.float64(1)]",
    "[np.bool_(True)]",
    "[np.float32(1), np.float64(2)]",
    "[True, False]",
    "[1, True]",
    "[1, 2.5]",
    "[1.5, 2]",
    "[1j]",
    "[None]",
    "[np.array([1.0]), np.array([1])]",
    "[np.array([1.0], np.float32), np.array([1])]",
    "[np.array(1), np.array(2)]",
    "[np.array(['a'])]",
    "[np.array(None)]",
    "[np.str_('a')]",
    "['a', 'b']",
    "[b'a']",
    "[(1, 2.0), (3, 4.0)]",
    "[[1, 2], [3, 4]]",
    "[[], []]",
    "[range(2), range(2)]",
    "[Point(1, 2.0), Point(3, 4.0)]",
    "[{'a': 1, 'b': [1]}, {'a': 2, 'b': [3]}]",
    "[collections.OrderedDict(a=1)]",
    "[collections.UserDict(a=np.ones(1)), collections.UserDict(a=np.ones(1))]",
    "[{1, 2}]",
    "[[1], [1, 2]]",
    "[np.ones(2), np.ones(3)]",
    "[tensor(np.ones(2)), tensor(np.ones(3))]",
    "[tensor(np.ones(2)), tensor(np.zeros(2))]",
    "[tensor(np.ones(2, np.float32)), tensor(np.ones(2, np.int64))]",
    "[tensor(np.ones(2, np.float32)).requires_grad_()]",
    "[(tensor(np.ones((2, 2))), {'k': (np.float32(1), 'x')})] * 2",
]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("function", ["default_collate", "default_convert"])
def test_collation_matches_pytorch(function, batch):
    check(f"d.{function}({batch})")


def test_a_number_that_does_not_fit_raises():
    with pytest.raises(OverflowError):  # PyTorch: ValueError
        ours.default_collate([2**70])


def test_conversion_does_not_alias_the_users_array():
    array = np.ones(2)
    converted = ours.default_convert(array)
    array[0] = 5
    assert repr(converted) == "tensor([1., 1.], dtype=torch.float64)"


def pair(**options):
    """The same loader in both libraries over rows of x and y."""
    x = np.arange(22, dtype=np.float32).reshape(11, 2)
    out = []
    for names in (OURS, THEIRS):
        made = {
            k: v(names) if isinstance(v, types.FunctionType) and k != "collate_fn" else v for k, v in options.items()
        }
        dataset = names["d"].TensorDataset(names["tensor"](x), names["tensor"](np.arange(11)))
        out.append(names["d"].DataLoader(dataset, **made))
    return out


LOADERS = [
    {},
    {"batch_size": 4},
    {"batch_size": 4, "drop_last": True},
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 4, "shuffle": True, "generator": lambda n: n["Generator"]().manual_seed(3)},
    {"batch_size": None},
    {"batch_size": None, "shuffle": True},
    {"batch_size": 3, "sampler": [5, 1, -1, 7]},
    {"batch_size": 3, "sampler": lambda n: n["d"].RandomSampler(range(11), replacement=True)},
    {"batch_sampler": [[1, 2], [3], [4, 5, 6]]},
    {"batch_sampler": lambda n: n["d"].BatchSampler(n["d"].RandomSampler(range(11)), 5, True)},
    {"batch_size": 5, "collate_fn": lambda batch: [len(sample) for sample in batch]},
]


@pytest.mark.parametrize("options", LOADERS, ids=lambda options: "-".join(options))
def test_loader_gives_pytorchs_batches_and_leaves_its_stream(options):
    a, b = pair(**options)
    assert len(a) == len(b)
    for _ in range(2):
        assert repr(list(a)) == repr(list(b))
        check_streams()
    for first, second in zip(a, b, strict=True):  # left early
        assert repr(first) == repr(second)
        break
    check_streams()


def test_a_sampler_that_draws_at_iter_draws_before_the_loaders_seed():
    class Eager:
        def __init__(self, draw):
            self.draw = draw

        def __iter__(self):
            return iter(self.draw(11))

        def __len__(self):
            return 11

    a, _ = pair(batch_size=None, sampler=Eager(_tensors.permutation))
    _, b = pair(batch_size=None, sampler=Eager(lambda n: torch.randperm(n).tolist()))
    assert repr(list(a)) == repr(list(b))
    check_streams()


def test_rows_cut_in_one_go_equal_rows_taken_one_by_one():
    class OneByOne(ours.TensorDataset):
        def __getitem__(self, index):
            return super().__getitem__(index)

    x, y = as_tensor(np.arange(22.0).reshape(11, 2)), as_tensor(np.arange(11))
    fast, slow = ours.TensorDataset(x, y), OneByOne(x, y)
    assert fast._gather([1, 2]) is not None and slow._gather([1, 2]) is None
    for a, b in ((fast, slow), (ours.Subset(fast, [9, 4, 0]), ours.Subset(slow, [9, 4, 0]))):
        assert repr(list(ours.DataLoader(a, 2))) == repr(list(ours.DataLoader(b, 2)))
    with pytest.raises(IndexError, match="out of"):
        list(ours.DataLoader(fast, sampler=[11]))


def test_gradients_flow_through_a_batch_of_tensors_that_require_them():
    x = as_tensor(np.arange(4, dtype=np.float32)).requires_grad_()
    (batch,) = next(iter(ours.DataLoader(ours.TensorDataset(x), batch_size=2, sampler=[3, 1])))
    batch.backward(as_tensor(np.array([10, 20], np.float32)))
    np.testing.assert_array_equal(x.grad.numpy(), [0, 20, 0, 10])


def test_iterable_datasets_match_pytorch():
    for names in (OURS, THEIRS):
        base = names["d"].IterableDataset
        names["count"] = type("Count", (base,), {"__iter__": lambda s: iter(range(7)), "__len__": lambda s: 7})
    for options in ("3", "3, drop_last=True", "None", "1"):
        check(f"[(len(x), list(x), list(x)) for x in [d.DataLoader(count(), {options})]]")
    check("[(len(x), list(x)) for x in [d.DataLoader(count() + count(), 4)]]")
    check_streams()


def test_a_wrong_length_of_an_iterable_dataset_warns():
    kind = type("Liar", (ours.IterableDataset,), {"__iter__": lambda s: iter(range(3)), "__len__": lambda s: 2})
    loader = ours.DataLoader(kind())
    len(loader)
    with pytest.warns(UserWarning, match=r"was reported to be 2.*but 3 samples have been fetched"):
        assert len(list(loader)) == 3


@pytest.mark.parametrize(
    ("options", "beginning"),
    [
        ("num_workers=-1", 44),
        ("timeout=-1", 37),
        ("prefetch_factor=2", 66),
        ("num_workers=1, prefetch_factor=-1", 23),
        ("persistent_workers=True", None),
        ("sampler=[1], shuffle=True", None),
        ("batch_sampler=[[1]], batch_size=2", None),
        ("batch_sampler=[[1]], drop_last=True", None),
        ("batch_size=None, drop_last=True", None),
        ("batch_size=0", None),
        ("multiprocessing_context='spawn'", None),
        ("num_workers=1, multiprocessing_context='wrong'", None),
        ("num_workers=1, multiprocessing_context=3", None),
    ],
)
def test_options_that_exclude_each_other(options, beginning):
    assert outcome(f"d.DataLoader([1, 2], {options})", THEIRS)[0]
    check(f"d.DataLoader([1, 2], {options})", beginning)


@pytest.mark.parametrize("options", ["shuffle=True", "sampler=[1]", "batch_sampler=[[1]]"])
def test_an_iterable_dataset_has_its_own_order(options):
    check(f"d.DataLoader(d.ChainDataset([]), {options})")


def test_what_a_loader_is_made_of_stays():
    loader = ours.DataLoader([1, 2])
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader"):
        loader.batch_size = 3
    with pytest.raises(AssertionError, match="timeout"):
        iter(ours.DataLoader([1], timeout=1))


def test_a_start_method_is_checked_when_it_is_set():
    for data in (ours, theirs):
        loader = data.DataLoader([1, 2])
        with pytest.raises(ValueError, match="can only be used with multi-process loading"):
            loader.multiprocessing_context = "spawn"
        loader = data.DataLoader([1, 2], num_workers=1)
        with pytest.raises(ValueError, match="should specify a valid start method in"):
            loader.multiprocessing_context = "wrong"
        loader.multiprocessing_context = "spawn"
        assert loader.multiprocessing_context.get_start_method() == "spawn"


@pytest.mark.parametrize(
    "expression",
    [
        "d.DataLoader[int] and 1",
        "[(l._auto_collation, type(l._index_sampler).__name__, l._dataset_kind) for l in [d.DataLoader([1])]]",
        "d.DataLoader([1])._iterator",
        "[type(l._index_sampler).__name__ for l in [d.DataLoader([1], batch_size=None)]]",
        "[(type(l.sampler).__name__, l._dataset_kind) for l in [d.DataLoader(d.ChainDataset([]))]]",
        "d._DatasetKind.Map, d._DatasetKind.Iterable",
        "list(d.DataLoader([1, 2])._get_iterator())",
        "d.DataLoader([1]).check_worker_number_rationality()",
        "len(iter(d.DataLoader(d.ChainDataset([]))))",
        "d.Dataset()[0]",
    ],
)
def test_what_libraries_look_up_in_a_loader(expression):
    check(expression)


def test_a_device_of_pinned_memory_is_deprecated():
    for data in (ours, theirs):
        with pytest.warns(UserWarning) as told:
            list(data.DataLoader([1, 2], pin_memory=True, pin_memory_device="cuda"))
        assert any("pin_memory_device is deprecated" in str(w.message) for w in told)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            list(data.DataLoader([1, 2], pin_memory_device="cuda"))


def test_too_many_workers_warn():
    for data in (ours, theirs):
        with pytest.warns(UserWarning, match="This DataLoader will create 999 worker processes in total"):
            data.DataLoader([1, 2], num_workers=999)
