"""``ptm.call``: forward writes buffers, and nothing is lost or leaked."""

import jax
import jax.numpy as jnp
import pytest

import pytreemod as ptm
from pytreemod import nn
from pytreemod.errors import BufferWriteError, ImmutableError


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", jnp.zeros((), "int32"))
        self.register_buffer("nothing", None)
        self.w = nn.Parameter(jnp.ones(()))

    def forward(self, x):
        before = self.count
        self.count += 1
        assert self.count is not before
        return x * self.w + self.count


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Counter()
        self.two = self.one
        self.items = [self.one, Counter()]

    def forward(self, x):
        return self.two(self.one(x)) + self.items[0].count + self.items[1](x)


def forwarding(body):
    class Net(Counter):
        def forward(self, x):
            return body(self, x)

    return Net()


def test_a_shared_module_sees_every_write():
    model = Shared()
    y, new = ptm.call(model, jnp.zeros(()))
    assert int(y) == 1 + 2 + 2 + 1
    assert int(new.two.count) == 2 == int(new.items[0].count) and int(new.items[1].count) == 1
    assert int(model.one.count) == 0


def test_it_works_inside_jit_vmap_and_grad():
    model = Shared()
    _, new = jax.jit(ptm.call)(model, 1.0)
    assert int(new.one.count) == 2
    _, many = jax.vmap(ptm.call, in_axes=(None, 0))(model, jnp.ones(3))
    assert many.one.count.shape == (3,)
    gradient, new = ptm.grad(ptm.call, has_aux=True)(model, 1.0)
    assert float(gradient.one.w) == 3.0 and int(new.one.count) == 2  # of w(wx + 1) + 2 at 1


def test_a_plain_call_that_writes_raises_and_shows_the_way():
    with pytest.raises(BufferWriteError, match=r"'one\.count' of Counter.*y, model = ptm\.call\(model, x\)"):
        Shared()(1.0)


def test_a_failed_forward_changes_nothing():
    def fail(self, x):
        self.count += 1
        raise ZeroDivisionError

    model = forwarding(fail)
    with pytest.raises(ZeroDivisionError):
        ptm.call(model, 1.0)
    assert int(model.count) == 0


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (lambda self, x: setattr(self, "w", x), ImmutableError, "cannot set 'w'"),
        (lambda self, x: setattr(self, "new", x), ImmutableError, "no such attribute"),
        (lambda self, x: setattr(self, "nothing", x), BufferWriteError, "it is None"),
        (lambda self, x: setattr(self, "count", "text"), TypeError, "expected an array, got str"),
        (
            lambda self, x: jax.vmap(lambda v: setattr(self, "count", v))(jnp.ones(2)),
            BufferWriteError,
            "transform",
        ),
        (lambda self, x: jax.jit(lambda v: setattr(self, "count", v))(x), BufferWriteError, "transform"),
    ],
)
def test_other_writes_are_refused(body, error, says):
    model = forwarding(body)
    with pytest.raises(error, match=says):
        ptm.call(model, jnp.ones(()))
    assert int(model.count) == 0


def test_what_outlives_the_call_cannot_be_written():
    kept = []
    ptm.call(forwarding(lambda self, x: kept.append(self)), 1.0)
    with pytest.raises(BufferWriteError, match="has returned"):
        kept[0].count = jnp.ones(())


def test_a_running_module_is_a_pytree_of_its_current_leaves():
    def body(self, x):
        self.count += 1
        return jax.tree.map(lambda leaf: leaf, self)

    copied, _ = ptm.call(forwarding(body), 1.0)
    assert int(copied.count) == 1


def test_a_number_keeps_the_dtype_of_the_buffer():
    _, new = ptm.call(forwarding(lambda self, x: setattr(self, "count", 7)), 1.0)
    assert new.count.dtype == jnp.int32 and int(new.count) == 7


def test_call_needs_a_module_and_passes_keyword_arguments_and_the_key(key):
    from pytreemod.rng import KeySource, source

    with pytest.raises(TypeError, match="call: expected a Module, got function"):
        ptm.call(lambda x: x, 1.0)

    def draw(self, x):
        return x + source(who="draw").uniform((2,))

    model = forwarding(draw)
    one, _ = ptm.call(model, x=1.0, key=key)
    two, _ = ptm.call(model, 1.0, key=KeySource(key))
    assert one.tolist() == two.tolist()
