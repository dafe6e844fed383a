import pytest

from vaesearch.space import Choice, Float, load_space


@pytest.fixture
def read(tmp_path, monkeypatch):
    """The space that ``text`` describes, in a file space.yaml, changed by ``--set`` options."""
    monkeypatch.chdir(tmp_path)

    def read(text, *overrides):
        (tmp_path / "space.yaml").write_text(text, encoding="utf-8")
        return load_space("space.yaml", overrides)

    return read


@pytest.fixture
def draw():
    """A random point of a space."""

    def draw(space, rng):
        point = {}
        for parameter in space.parameters:
            if parameter.is_active(point):
                point[parameter.name] = _value(parameter.domain, rng)
        return point

    return draw


def _value(domain, rng):
    if isinstance(domain, Choice):
        return domain.options[rng.integers(len(domain.options))]
    if isinstance(domain, Float):
        return float(rng.uniform(domain.low, domain.high))
    return int(rng.choice(range(domain.low, domain.high + 1, domain.step)))
