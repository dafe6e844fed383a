"""Images that are known by name. The trait ``colour`` says that they have three channels."""

from vaesearch.catalogue.entry import Entry

DATASETS = (
    Entry(
        "digits",
        "vaesearch.data.embedded:load_digits",
        "1,797 grey 8x8 digits inside scikit-learn, no download",
        "Alpaydin & Kaynak 1998",
    ),
    Entry(
        "mnist",
        "vaesearch.data.downloads:load_mnist",
        "70,000 grey 28x28 digits",
        "LeCun et al. 1998",
    ),
    Entry(
        "qmnist",
        "vaesearch.data.downloads:load_qmnist",
        "120,000 grey 28x28 digits",
        "Yadav & Bottou 2019",
    ),
    Entry(
        "fashionmnist",
        "vaesearch.data.downloads:load_fashionmnist",
        "70,000 grey 28x28 clothes",
        "Xiao et al. 2017",
    ),
    Entry(
        "cifar10",
        "vaesearch.data.downloads:load_cifar10",
        "60,000 colour 32x32 photographs",
        "Krizhevsky 2009",
        traits=frozenset({"colour"}),
    ),
    Entry(
        "celeba",
        "vaesearch.data.downloads:load_celeba",
        "202,599 colour faces",
        "Liu et al. 2015",
        traits=frozenset({"colour"}),
    ),
)
