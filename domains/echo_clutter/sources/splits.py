"""The user's clips into training, validation and test: whole files, whole patients."""

from __future__ import annotations

from domains.echo_clutter.params import FilesParams
from domains.echo_clutter.science.clips import Clip
from domains.echo_clutter.sources.collection import Collection
from domains.errors import DataError

_SPLITS = ("train", "validate", "test")


def split_clips(
    clips: list[Clip], settings: FilesParams, collection: Collection
) -> dict[str, list[Clip]]:
    """By the lists of the parameters; without them the last fifth tests, the one before chooses."""
    lists = [[str(name) for name in getattr(settings, f"{split}_clips")] for split in _SPLITS]
    if not any(lists):
        fifth = max(1, len(clips) // 5)
        if len(clips) < 3:
            raise DataError(
                f"echo_clutter: {len(clips)} clean clips, expected three or more to train on, to "
                "choose on and to test on"
            )
        return {
            "train": clips[: -2 * fifth],
            "validate": clips[-2 * fifth : -fifth],
            "test": clips[-fifth:],
        }
    everywhere = [name for names in lists for name in names]
    if twice := sorted({name for name in everywhere if everywhere.count(name) > 1}):
        raise DataError(
            f"echo_clutter: ingest.files: clip {twice[0]} is in two of the lists train_clips, "
            "validate_clips, test_clips; leave it in one"
        )
    if missing := sorted(set(everywhere) - {clip.name for clip in clips}):
        raise DataError(
            f"echo_clutter: ingest.files: no clip is named {missing[0]}, found "
            f"{', '.join(clip.name for clip in clips)}"
        )
    for clip in clips:
        if clip.name not in everywhere:
            collection.reject("file in no split")
    return {
        split: [clip for clip in clips if clip.name in names]
        for split, names in zip(_SPLITS, lists, strict=True)
    }


def check_patients(splits: dict[str, list[Clip]], patients: dict[str, str]) -> None:
    """Refuse a patient whose clips are in two splits; ``patients`` says whose each clip is."""
    first: dict[str, tuple[str, str]] = {}
    for split in _SPLITS:
        for clip in splits[split]:
            other, name = first.setdefault(patients[clip.name], (split, clip.name))
            if other != split:
                raise DataError(
                    f"echo_clutter: {name} ({other}) and {clip.name} ({split}) are of one patient; "
                    "put them into one of the lists of ingest.files"
                )
