"""The commands that draw: ``sample``, ``reconstruct``, ``traverse``, ``interpolate``, ``map``.

Each has few options, and each option means something in every use of its command.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vaesearch.arguments import whole
from vaesearch.cli.places import RUN_PLACE
from vaesearch.errors import InputError

if TYPE_CHECKING:
    from vaesearch.trained import Trained

Function = TypeVar("Function", bound=Callable[..., Any])

_MODEL = (
    click.argument("run_dir", type=RUN_PLACE),
    click.option("--arm", help="name of the arm; default the best one"),
    click.option("--epoch", default="best", show_default=True, help="best, last or a number"),
    click.option("--data-dir", help="where the images are now, if not where the search had them"),
    click.option("--device", default="cpu", show_default=True, help="cpu or cuda"),
    click.option("--out", "targets", type=click.Path(path_type=Path), multiple=True, required=True,
                 help="FILE.png to look at or FILE.npz with the arrays; may be given twice"),
)  # fmt: skip
_SEED = click.option("--seed", type=int, default=0, show_default=True, help="of all noise")
_SPLIT = click.option(
    "--split", default="test", show_default=True, help="whose images: test, valid or train"
)


def _drawing(function: Function) -> Function:
    """The options that say which model and where to."""
    for decorate in reversed(_MODEL):
        function = decorate(function)
    return function


@click.command()
@_drawing
@click.option("--from", "source", default="prior", show_default=True,
              help="prior, or gmm: the mixture of Gaussians fitted to codes")  # fmt: skip
@click.option("--count", type=int, default=64, show_default=True, help="of pictures")
@click.option("--temperature", type=float, default=1.0, show_default=True,
              help="factor on standard deviations of latents")  # fmt: skip
@click.option("--components", type=int, help="of the mixture; default those of the model, or 10")
@click.option("--draw", is_flag=True, help="draw from p(x|z), with noise, instead of its mean")
@_SEED
def sample(**options: Any) -> None:
    """Draw new pictures: decode latents of the prior or of the mixture of codes."""
    from vaesearch import gallery

    _draw(gallery.sample, options)


@click.command()
@_drawing
@click.option("--images", type=int, help="so many, the first ones [32]")
@click.option("--indices", help="or those of these numbers, as in 3,17")
@_SPLIT
@click.option("--code", default="mean", show_default=True, help="mean of q(z|x), or a sample")
@click.option("--uncertainty", is_flag=True,
              help="with maps of the error that the model expects and the actual one")  # fmt: skip
@_SEED
def reconstruct(images: int | None, indices: str | None, **options: Any) -> None:
    """Draw images above their reconstructions, with squared errors."""
    from vaesearch import gallery

    if images is not None and indices is not None:
        raise InputError("give --images N or --indices 3,17, not both.")
    if indices is None:
        chosen: Any = range(whole("--images", 32 if images is None else images))
    else:
        chosen = numbers("--indices", indices)
    _draw(gallery.reconstruct, options | {"indices": chosen})


@click.command()
@_drawing
@click.option("--latents", help="which, as in 0,3; default those that carry most of an image")
@click.option("--top", type=int, default=10, show_default=True, help="how many by default")
@click.option("--image", type=int, help="hold the others at this image's code instead of 0")
@_SPLIT
@click.option("--span", type=float, default=3.0, show_default=True, help="values from -X to X")
@click.option("--steps", type=int, default=7, show_default=True, help="how many values")
def traverse(latents: str | None, **options: Any) -> None:
    """Draw what each latent does: a row for each, moved while the others are held."""
    from vaesearch import gallery

    chosen = None if latents is None else numbers("--latents", latents)
    _draw(gallery.traverse, options | {"latents": chosen})


@click.command()
@_drawing
@click.option("--between", required=True, help="numbers of 2 images, or of 4 as corners: 3,17")
@_SPLIT
@click.option("--steps", type=int, default=8, show_default=True, help="from image to image")
@click.option("--spherical", is_flag=True, help="along arcs instead of lines")
def interpolate(between: str, **options: Any) -> None:
    """Draw what lies between the codes of images."""
    from vaesearch import gallery

    _draw(gallery.interpolate, options | {"indices": numbers("--between", between)})


@click.command("map")
@_drawing
@_SPLIT
@click.option("--images", type=int, default=2000, show_default=True, help="the first ones")
@click.option("--plane", default="latents", show_default=True,
              help="two latents, or pca: the directions in which codes vary most")  # fmt: skip
@click.option("--latents", help="which two, as in 0,3; default those in which codes vary most")
@click.option("--components", type=int, help="of the mixture; default those of the model, or 10")
@click.option("--drift", "arrows", type=int, default=0, show_default=True,
              help="arrows of so many images, from code to reconstruction's code")  # fmt: skip
@click.option("--times", type=int, default=1, show_default=True,
              help="go on from each reconstruction to the next, so often")  # fmt: skip
@_SEED
def latent_map(latents: str | None, **options: Any) -> None:
    """Draw where images lie in the space of latents: codes, prior, mixture and drift."""
    from vaesearch import gallery

    chosen = None if latents is None else numbers("--latents", latents)
    _draw(gallery.latent_map, options | {"latents": chosen})


COMMANDS = (sample, reconstruct, traverse, interpolate, latent_map)


def numbers(option: str, text: str) -> list[int]:
    """Whole numbers from ``3,17``.

    Raises:
        InputError: anything else.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            f"{option} takes whole numbers with commas, as in 3,17, not {text!r}."
        ) from error


def _draw(make: Callable[..., Any], options: dict[str, Any]) -> None:
    """Open the model, make the pictures, and write them to each target."""
    from vaesearch.gallery import check_target, write

    targets = options.pop("targets")
    for target in targets:
        check_target(target)
    pictures = make(_opened(options), **options)
    for target in targets:
        write(pictures, target)
    click.echo(pictures.title)
    for target in targets:
        click.echo(f"Written: {target}")


def _opened(options: dict[str, Any]) -> "Trained":
    """The model that the options name, which are taken out of them."""
    from vaesearch.trained import open_trained

    run_dir, arm, epoch, data_dir, device = (
        options.pop(name) for name in ("run_dir", "arm", "epoch", "data_dir", "device")
    )
    number = int(epoch) if epoch.isdecimal() else epoch
    return open_trained(run_dir, arm, number, data_dir=data_dir, device=device)
