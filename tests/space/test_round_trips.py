"""What is written of a domain is read as that domain, whatever its numbers."""

import contextlib
import math
import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vaesearch.errors import InputError
from vaesearch.space import Choice, Float, Int, Parameter, Space, load_space

POSITIVE = st.floats(1e-300, 1e300)


@st.composite
def floats(draw):
    low, high = sorted(draw(st.lists(POSITIVE, min_size=2, max_size=2, unique=True)))
    return Float(low, high, draw(st.booleans()))


@st.composite
def ints(draw):
    low, steps = draw(st.integers(2, 10**6)), draw(st.integers(1, 1000))
    step = draw(st.integers(1, 100))
    return Int(low, low + steps * step, step == 1 and draw(st.booleans()), step)


def choices(values):
    return st.lists(values, min_size=2, unique=True).map(lambda found: Choice(tuple(found)))


NAMED = (
    st.tuples(st.just("alpha"), floats() | choices(POSITIVE))
    | st.tuples(st.just("latent_dim"), ints() | choices(st.integers(1, 10**9)))
    | st.tuples(
        st.just("posterior"),
        choices(st.sampled_from(["gaussian", "iaf", "iaf:4", "iaf:steps=2,context=0", "planar"])),
    )
)


WORDS = st.sampled_from(
    ["alpha", "latent_dim", "posterior", "posterior.planar.steps", "gmm_components", "2..4", ".."]
) | st.sampled_from(
    ["int", "float", "choices", "log", "step", "default", "when", "planar", "gaussian", "steps",
     "1..0:log", "[a,b", "a,b"]
)  # fmt: skip
SCALARS = WORDS | st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.dates()
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.integers(), inner),
    max_leaves=12,
)


def read(text, *overrides):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "space.yaml"
        path.write_text(text, encoding="utf-8")
        return load_space(str(path), overrides)


@settings(deadline=None)  # files are read, and the first time modules too
@given(NAMED)
def test_short_form(named):
    name, domain = named
    space = read("beta: [1, 2]", f"{name}={domain.text()}")
    assert space.parameters[-1] == Parameter(name, domain)


@settings(deadline=None)
@given(NAMED)
def test_short_and_long_form_in_yaml(named):
    name, domain = named
    if isinstance(domain, Choice):
        long = {"choices": list(domain.options)}
    else:
        kind = "int" if isinstance(domain, Int) else "float"
        long = {kind: [domain.low, domain.high], "log": domain.log}
        long |= {"step": domain.step} if isinstance(domain, Int) else {}
    for form in (long, domain.text()):
        assert read(yaml.safe_dump({name: form})).parameters == (Parameter(name, domain),)


@settings(deadline=None)
@given(NAMED, st.booleans())
def test_plain_data(named, has_default):
    name, domain = named
    default = domain.options[0] if isinstance(domain, Choice) else domain.low
    space = Space((Parameter(name, domain, default if has_default else None),), {"beta": 1.0})
    assert Space.from_dict(space.to_dict()) == space


@settings(deadline=None)
@given(NAMED, st.data())
def test_a_domain_accepts_its_own_values_also_as_text(named, data):
    _, domain = named
    if isinstance(domain, Choice):
        value = data.draw(st.sampled_from(domain.options))
    elif isinstance(domain, Int):
        value = data.draw(st.integers(0, (domain.high - domain.low) // domain.step))
        value = domain.low + value * domain.step
    else:
        value = data.draw(st.floats(domain.low, domain.high))
    assert domain.accept(value) == domain.accept(str(value)) == value


@settings(deadline=None)
@given(ints() | floats(), st.floats(allow_nan=True, allow_infinity=True))
def test_a_range_accepts_nothing_outside(domain, value):
    inside = math.isfinite(value) and domain.low <= value <= domain.high
    if isinstance(domain, Int):
        inside = inside and value == int(value) and (int(value) - domain.low) % domain.step == 0
    assert (domain.accept(value) is not None) == inside


@settings(deadline=None)
@given(st.dictionaries(WORDS, ANYTHING, min_size=1, max_size=4) | ANYTHING)
def test_whatever_is_written_is_read_or_refused(data):
    with contextlib.suppress(InputError):
        space = read(yaml.safe_dump(data))
        assert Space.from_dict(space.to_dict()) == space


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{}.,0123 #&*!|>'\"%@\n\t") | st.text())
def test_whatever_is_given_to_set_or_written_as_text(text):
    for attempt in (lambda: read(text), lambda: read("alpha: 0..1", f"latent_dim={text}")):
        with contextlib.suppress(InputError):
            assert attempt().parameters
