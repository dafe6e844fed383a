"""Features of pictures, by which distances between sets of pictures are measured."""

from vaesearch.catalogue.entry import Entry

EXTRACTORS_MODULE = "vaesearch.evaluation.extractors"

EXTRACTORS = (
    Entry(
        "labels",
        f"{EXTRACTORS_MODULE}.labels:LabelsExtractor",
        "64 features of a small network trained on the data set's own classes",
    ),
    Entry(
        "inception",
        f"{EXTRACTORS_MODULE}.inception:InceptionExtractor",
        "2048 features (or 64, 192, 768) of the Inception network that papers use",
        "Heusel et al. 2017",
    ),
)
