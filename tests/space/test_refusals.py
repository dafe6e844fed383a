"""Whatever is wrong with a space is said in a line, with the line of the file."""

import pytest

from vaesearch.errors import InputError
from vaesearch.space import load_space

# What stands in line 2 of a space, and what is said of it.
CASES = [
    ("latent_dmi: 2..4", "unknown parameter 'latent_dmi': did you mean 'latent_dim'?"),
    ("decoders: [mlp, conv]", "unknown parameter 'decoders': did you mean 'decoder'?"),
    ("alpha: {flaot: [0, 1]}", "unknown key of alpha 'flaot': did you mean 'float'?"),
    ("alpha: {float: [0, 1], defualt: 0}", "unknown key of alpha 'defualt': did you mean"),
    ("alpha: {}", "alpha needs one of float, int and choices, not none."),
    ("alpha: {log: true}", "alpha needs one of float, int and choices, not none."),
    ("alpha: {float: [0, 1], int: [0, 1]}", "alpha needs one of float, int and choices, not fl"),
    ("alpha: {float: [0, 1, 2]}", "float of alpha must be [LOW, HIGH]."),
    ("alpha: {float: 0..1}", "float of alpha must be [LOW, HIGH]."),
    ("alpha: {float: [0, [1]]}", "alpha must range between finite numbers, not something else."),
    ("alpha: {float: [0, 1], step: 1}", "step is for int."),
    ("alpha: {float: [1, 2], log: yes please}", "log must be true or false."),
    ("alpha: {choices: [0, 1], log: true}", "log is for ranges, and alpha has choices."),
    ("alpha: {choices: 0}", "choices of alpha must be [A, B, ...]"),
    ("alpha: 1..0", "alpha ranges from 1 down to 0: swap them."),
    ("latent_dim: {int: [64, 2]}", "latent_dim ranges from 64 down to 2: swap them."),
    ("latent_dim: 4..4", "latent_dim ranges from 4 to 4: write latent_dim: 4."),
    ("alpha: 0..1:log", "alpha cannot be logarithmic from 0: start above 0."),
    ("alpha: {float: [-1, 1], log: true}", "alpha cannot be logarithmic from -1: start above 0."),
    ("alpha: 0..1:lgo", "0..1:lgo is no range: write LOW..HIGH, LOW..HIGH:log or"),
    ("alpha: 0..1:step=1", "alpha is any number, and step is for whole numbers."),
    ("alpha: 0...inf", "alpha must range between finite numbers, not .inf."),
    ("alpha: low..1", "alpha must range between finite numbers, not low."),
    ("alpha: [0, .inf]", "alpha must be a number, not inf."),
    ("alpha: .nan", "alpha must be a number, not nan."),
    ('alpha: "so\\nmuch"', "alpha must be a number, not so much."),
    ("alpha: much", "alpha must be a number, not much."),
    ("alpha: true", "alpha cannot be true; a name goes in quotes."),
    ("alpha: [no, 1]", "alpha cannot be false; a name goes in quotes."),
    ("alpha:", "alpha is empty: give a value, a range or choices."),
    ("alpha: []", "alpha has no choice: give two or more."),
    ("alpha: [1]", "alpha has 1 choice: write alpha: 1.0."),
    ("alpha: [1, 1.0]", "alpha has the choice 1.0 twice."),
    ("alpha: [1, {float: [0, 1]}]", "alpha takes single values here, not a mapping."),
    ("latent_dim: 2..64:step=5", "does not reach 64 from 2 in steps of 5: end at 62."),
    ("latent_dim: 2..64:step=100", "in steps of 100: take a step of 62 at most."),
    ("latent_dim: 2..64:step=0", "step of latent_dim must be a whole number, at least 1, not 0."),
    ("latent_dim: 2..64:log:step=2", "latent_dim has log and step: Optuna takes one of them"),
    ("latent_dim: 2.5..4", "latent_dim must be a whole number, not 2.5."),
    ("latent_dim: [2, 2.5]", "latent_dim must be a whole number, not 2.5."),
    ("latent_dim: {float: [2, 4]}", "latent_dim is a whole number: write int in place of float."),
    ("latent_dim: {int: [2, 4], default: 8}", "the default of latent_dim must be in 2..4, not 8."),
    ("latent_dim: {int: [2, 4, 6]}", "int of latent_dim must be [LOW, HIGH]."),
    ("latent_dim: 0..4", "--latent-dim must be above 0, not 0."),
    ("batch_size: [1, 4]", "--batch-size must be at least 2"),
    ("alpha: -1..1", "--alpha must be 0 or above, not -1.0."),
    ("learning_rate: 0", "--learning-rate must be above 0, not 0.0."),
    ("precision: [float32, float16]", "unknown precision 'float16': did you mean 'bfloat16'?"),
    ("posterior: 2..4", "posterior takes names, not a range"),
    ("posterior: [gaussian, plannar]", "unknown posterior 'plannar': did you mean 'planar'?"),
    ("posterior: [gaussian, gaussian]", "posterior has the choice gaussian twice."),
    ("posterior: [gaussian]", "posterior has 1 choice: write posterior: gaussian."),
    ("posterior: [gaussian, planar:stepz=4]", "posterior 'planar:stepz=4': planar takes steps."),
    ("posterior: gaussian:0.5", "posterior 'gaussian:0.5': gaussian takes no arguments."),
    ("posterior: nowhere:Mine", "no module 'nowhere' can be imported"),
    ("posterior: {choices: {gaussian: , planar: 4}}", "below planar must be its arguments"),
    (
        "posterior: {choices: {gaussian: , planar: {stpes: 1..2}}}",
        "unknown argument of posterior planar 'stpes': did you mean 'steps'?",
    ),
    (
        "posterior: {choices: {planar: , gaussian: {steps: 1..2}}}",
        "posterior gaussian takes no arguments, so no 'steps'.",
    ),
    (
        "posterior: {choices: {gaussian: , planar:8: {steps: 1..2}}}",
        "planar:8 has its arguments already: write planar alone.",
    ),
    ("posterior.planar.steps: 2..4", "posterior.planar.steps needs posterior in the space"),
    ("posterior.planar: 2..4", "posterior.planar must be OPTION.MEMBER.ARGUMENT"),
    ("postrior.planar.steps: 2..4", "'postrior': did you mean 'posterior'?"),
    ("encoder.conv.width: 0.1..1", "encoder conv takes no arguments, so no 'width'."),
    ("gmm_components: 0..4", "gmm_components must be a whole number, at least 1, not 0."),
    ("gmm_components: 0.5..4", "gmm_components must be a whole number, not 0.5."),
    ("gmm_components: {int: [1, 4], default: 2}", "gmm_components has neither default nor when"),
    ("gmm_components: {int: [1, 4], when: {beta: 1}}", "gmm_components has neither default nor"),
    ("alpha: {float: [0, 1], when: posterior}", "when must be {NAME: VALUE}"),
    ("alpha: {float: [0, 1], when: {}}", "when must be {NAME: VALUE}"),
    ("alpha: {float: [0, 1], when: {btea: 1}}", "in when of alpha 'btea': did you mean 'beta'?"),
    ("latent_dim: {int: [2, 4], when: {latent_dim: 2}}", "in a circle: latent_dim -> latent_dim."),
    ("alpha: {float: [0, 1], when: {beta: 9}}", "alpha needs beta 9, and beta is in [1.0, 2.0]."),
    ("alpha: {float: [0, 1], when: {beta: [1, 9]}}", "alpha needs beta 9, and beta is in"),
    ("alpha: {float: [0, 1], when: {beta: []}}", "when of alpha names no value of beta."),
    ("alpha: {float: [0, 1], when: {beta: {a: 1}}}", "alpha needs beta that, and beta is in"),
    ("alpha: [0, 1]]", "not YAML: "),
    ("alpha: *missing", "not YAML: found undefined alias 'missing'."),
    ("alpha: &loop [0, *loop]", "an alias stands inside of what it names."),
    ("alpha: !!python/name:os.system x", "not YAML: could not determine a constructor"),
    ("alpha: \x07", "not YAML: special characters are not allowed."),
    ("alpha: {float: [0, 1], default: [1]}", "default of alpha must be in 0.0..1.0, not that"),
    ("beta: 3", "beta is given twice, in line 1 before: keep one of them."),
    ("? [a, b]\n: 1", "a name is wanted before the colon."),
]  # fmt: skip


@pytest.mark.parametrize(("line", "said"), CASES)
def test_refused_with_its_line(read, line, said):
    with pytest.raises(InputError) as refusal:
        read(f"beta: [1, 2]\n{line}")
    text = str(refusal.value)
    place, _, reason = text.partition(": ")
    assert place == "space.yaml:2"
    assert said in reason
    assert "\n" not in text


def test_lines_are_those_of_the_part_that_is_wrong(read):
    text = (
        "posterior:\n  choices:\n    gaussian:\n    planar:\n      steps:\n        int: [8, 2]\n"
    )
    with pytest.raises(InputError, match=r"space.yaml:6: .* swap them"):
        read(text)
    with pytest.raises(InputError, match=r"space.yaml:4: posterior has the choice gaussian twice"):
        read("posterior:\n  - gaussian\n  - planar\n  - gaussian\n")
    with pytest.raises(InputError, match=r"space.yaml:3: alpha needs beta 3"):
        read("alpha:\n  float: [0, 1]\n  when: {beta: 3}\nbeta: [1, 2]\n")


def test_one_parameter_in_two_places(read):
    nested = "posterior: {choices: {gaussian: , planar: {steps: 2..4}}}\n"
    with pytest.raises(InputError, match=r":2: posterior.planar.steps is given twice, in .*:1"):
        read(nested + "posterior.planar.steps: 2..8")
    with pytest.raises(InputError, match=r":2: latent_dim is given twice"):
        read("latent_dim: 2..4\nlatent-dim: 2..8")


def test_conditions_in_a_circle(read):
    text = (
        "latent_dim: {int: [2, 4], when: {batch_size: 16}}\n"
        "batch_size: {choices: [16, 32], when: {posterior: iaf}}\n"
        "posterior: {choices: [iaf, planar], when: {latent_dim: 2}}\n"
        "alpha: {float: [0, 1], when: {posterior: iaf}}\n"
    )
    circle = "latent_dim -> batch_size -> posterior -> latent_dim"
    with pytest.raises(InputError, match=rf"space.yaml:1: .* a circle: {circle}\."):
        read(text)


def test_conditions_that_exclude_each_other(read):
    text = (
        "posterior: [gaussian, planar]\n"
        "batch_size: {choices: [16, 32], when: {posterior: gaussian}}\n"
        "alpha: {float: [0, 1], when: {posterior: planar, batch_size: 16}}\n"
    )
    with pytest.raises(InputError, match=r":3: alpha is never there: .* planar, and also .* gau"):
        read(text)
    nested = "posterior: {choices: {gaussian: , planar: {steps: {int: [2, 4], when: %s}}}}"
    with pytest.raises(InputError, match="belongs to posterior planar and can have no other"):
        read(nested % "{posterior: gaussian}")


def test_a_condition_on_any_number(read):
    with pytest.raises(InputError, match="conditions are on choices and whole numbers"):
        read("beta: 1..2\nalpha: {float: [0, 1], when: {beta: 1}}")


def test_a_condition_on_a_constant_that_never_holds(read):
    with pytest.raises(InputError, match=r":2: alpha needs posterior planar, and .* at gaussian"):
        read("posterior: gaussian\nalpha: {float: [0, 1], when: {posterior: planar}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "space.yaml:1: a space is a mapping"),
        ("- alpha", "space.yaml:1: a space is a mapping"),
        ("2..4", "space.yaml:1: a space is a mapping"),
        ("alpha: 1", "space.yaml: nothing is left to search"),
        ("gmm_components: 1..4", "space.yaml: nothing is left to search"),
    ],
)
def test_no_space(read, text, said):
    with pytest.raises(InputError, match=said):
        read(text)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*lost\.yaml: No such file"):
        load_space(str(tmp_path / "lost.yaml"))
    with pytest.raises(InputError, match="unknown space 'mnits': did you mean 'mnist'"):
        load_space("mnits")
    (tmp_path / "latin.yaml").write_bytes(b"alpha: \xff")
    with pytest.raises(InputError, match="is no text in UTF-8"):
        load_space(str(tmp_path / "latin.yaml"))


def test_dates_are_text(read):
    with pytest.raises(InputError, match=r":1: alpha must be a number, not 2020-99-99"):
        read("alpha: 2020-99-99")
