"""The block ``fake_news`` of ``params.yaml``: keys, units and ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from domains.params import DomainParams, Section, TrainParams

Key = Literal["source", "event", "origin"]


class CleanParams(Section):
    """Which texts are refused; each reason is counted."""

    min_words: int = Field(ge=1, description="articles with fewer words are refused")
    min_words_post: int = Field(ge=1, description="posts and claims with fewer words are refused")
    language: Literal["en", "any"] = Field(description="en refuses bodies that are not English")


class DuplicateParams(Section):
    """Near duplicates, by the Jaccard index of their five-word shingles."""

    threshold: float = Field(gt=0, le=1, description="Jaccard index from which two are the same")
    action: Literal["keep_together", "drop"] = Field(
        description="keep_together = never in two roles; drop = keep the first of each cluster"
    )


class SplitParams(Section):
    """The honest split and the random one beside it."""

    group_by: list[Key] | None = Field(
        description="what the test shares with nothing; null = what the source proposes"
    )
    leave_out: list[str] | None = Field(
        description="values of the first of group_by, one fold each; null = folds by size"
    )
    folds: int = Field(ge=2, le=20, description="number of folds where leave_out names none")
    validate_share: float = Field(gt=0, lt=0.5, description="of what is not test; whole groups")


class ImageParams(Section):
    """Pictures at rest."""

    size_px: int = Field(ge=16, le=512, description="longest side of a stored picture, px")
    max_pixels: int = Field(ge=10_000, description="larger pictures are refused undecoded, px")


class SampleParams(Section):
    """The synthetic corpus of ``source: sample``."""

    articles: int = Field(ge=60, le=100_000, description="number of articles before cleaning")
    publishers: int = Field(ge=8, le=500, description="number; half of them mostly print fakes")
    events: int = Field(ge=4, le=500, description="number of events reported on")
    image_share: float = Field(ge=0, le=1, description="share of articles with a picture")
    style: float = Field(ge=0, le=5, description="distance of fake and real style, σ")
    leak: float = Field(ge=0, le=1, description="share of articles that show their house's style")


class PublicParams(Section):
    """Which public corpus."""

    corpus: Literal["horne", "mediaeval"] = Field(description="articles, or posts with pictures")
    max_posts_per_image: int | None = Field(
        ge=1, description="mediaeval: later posts with the same picture are dropped; null = none"
    )


class ColumnNames(Section):
    """Names of the columns of ``format: columns``; ``null`` where there is none."""

    id: str | None = Field(description="text that names the row; null = file name and row number")
    title: str | None = Field(description="headline")
    thread: str | None = Field(description="headline of the thread")
    body: str = Field(description="text of the article or post")
    label: str | None = Field(description="see fake_labels, real_labels; null only for predict")
    source: str | None = Field(description="publisher or address of the article")
    event: str | None = Field(description="what it reports on")
    date: str | None = Field(description="ISO 8601")
    image: str | None = Field(description="file name below images, or path")


class FilesParams(Section):
    """How to read the user's own articles."""

    format: Literal[
        "columns", "folders", "liar", "fakenewsnet", "recovery", "all_data", "horne", "mediaeval"
    ] = Field(description="columns = table by the names below; folders = fake/*.txt, real/*.txt")
    kind: Literal["article", "post"] = Field(description="which of the two minima of words holds")
    columns: ColumnNames
    encoding: Literal["auto", "utf-8", "cp1252", "latin-1", "utf-16"] = Field(
        description="auto = UTF-8, else cp1252, counted"
    )
    delimiter: Literal["auto", ",", ";", "tab", "|"] = Field(
        description="auto = tab for .tsv, else the most frequent in the header"
    )
    quoting: Literal["minimal", "none"] = Field(
        description="minimal = quoted fields as spreadsheets write them; none = quotes are letters"
    )
    fake_labels: list[str] = Field(description="values of the label column that mean fake")
    real_labels: list[str] = Field(description="values that mean real; others are counted out")
    images: str | None = Field(description="folder of the pictures; null = beside the table")

    @model_validator(mode="after")
    def _labels_differ(self) -> FilesParams:
        if both := sorted(set(self.fake_labels) & set(self.real_labels)):
            raise ValueError(f"{both[0]!r} is in fake_labels and in real_labels")
        return self


class IngestParams(Section):
    """Raw articles to dataset."""

    seed: int = Field(ge=0, description="of the synthetic corpus, MinHash and the splits")
    clean: CleanParams
    duplicates: DuplicateParams
    split: SplitParams
    images: ImageParams
    sample: SampleParams
    public: PublicParams
    files: FilesParams


Network = Literal["ti_cnn", "ti_cnn_text", "ti_cnn_image", "kim_cnn", "lstm", "gru"]


class ModelParams(Section):
    """Which network, and its size."""

    network: Network = Field(
        description="the one that answers: ti_cnn = Yang et al., _text and _image one half of it"
    )
    pooling: Literal["max", "flatten"] = Field(
        description="of text filters: max = strongest response; flatten = all places, the paper's"
    )
    normalisation: Literal["layer", "batch"] = Field(description="of dense layers; batch = paper's")
    explicit: Literal["all", "paper"] = Field(
        description="explicit features: paper = its 31 and 4; all = those its analyses name too"
    )
    has_title_branch: bool = Field(description="words of the title too; inflates random splits")
    vocabulary: int = Field(ge=10, le=200_000, description="most frequent words of training texts")
    length: int = Field(ge=8, le=4000, description="words read of a text; 1000 in the paper")
    title_length: int = Field(ge=2, le=200, description="words read of a title")
    recurrent_length: int = Field(ge=8, le=4000, description="words lstm and gru read; 400 there")
    embedding: int = Field(ge=4, le=1024, description="width of a word vector; 100 in the paper")
    filters: int = Field(ge=1, le=1024, description="of the text convolution; 10 in the paper")
    kernel: int = Field(ge=1, le=8, description="words seen by a filter; 3 in the paper")
    hidden: int = Field(ge=4, le=1024, description="width of dense layers; 128 in the paper")
    image_px: int = Field(ge=16, le=224, description="side of the square picture; 50 in the paper")
    image_filters: int = Field(ge=1, le=512, description="of picture convolutions; 32 in the paper")
    dropout_embedding: float = Field(ge=0, lt=1, description="share; 0.5 in the paper")
    dropout_branch: float = Field(ge=0, lt=1, description="share; 0.8 in the paper")
    dropout_image: float = Field(ge=0, lt=1, description="share, of convolutions; 0.8 in the paper")

    @model_validator(mode="after")
    def _all_places_are_some(self) -> ModelParams:
        lengths = {"length": self.length}
        if self.has_title_branch:
            lengths["title_length"] = self.title_length
        for key, length in lengths.items():
            if self.pooling == "flatten" and length <= self.kernel:
                raise ValueError(
                    f"{key} {length} and kernel {self.kernel} leave no pair of places to "
                    "pooling: flatten, which needs a longer one"
                )
        return self


class NewsTrainParams(TrainParams):
    """The engine's keys and our own."""

    weight_decay: float = Field(ge=0, description="of AdamW")
    num_seeds: int = Field(ge=1, le=10, description="copies of the network; mean answers")
    peers: dict[Network, Annotated[int, Field(ge=1, le=10)]] = Field(
        description="networks trained beside it in the grouped folds, and copies of each"
    )
    posts_per_image: int = Field(ge=1, description="of one picture in an epoch")


class PredictParams(Section):
    """What ``predict`` reads and writes (``evaluate.predict``)."""

    words: int = Field(ge=0, le=100, description="words, and features, told that push the score")
    language: Literal["en", "any"] = Field(description="en warns where a text is not English")


class EvaluateParams(Section):
    """What ``evaluate`` scores and ``predict`` writes."""

    bins: int = Field(ge=2, le=50, description="of the reliability diagram and calibration error")
    explained: int = Field(
        ge=1, le=1000, description="test articles on which explanations are checked"
    )
    minilm: bool = Field(description="also MiniLM vectors + LR; needs the extra minilm")
    predict: PredictParams


class Params(DomainParams):
    """The block of ``params.yaml``."""

    ingest: IngestParams
    model: ModelParams
    train: NewsTrainParams
    evaluate: EvaluateParams
