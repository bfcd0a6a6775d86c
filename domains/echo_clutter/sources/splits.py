"""The user's clips into training, validation and test: whole files, whole patients."""

from __future__ import annotations

from domains.echo_clutter.params import FilesParams
from domains.echo_clutter.science.clips import Clip
from domains.echo_clutter.sources.collection import Collection
from domains.errors import DataError

_SPLITS = ("train", "validate", "test")


def split_clips(
    clips: list[Clip], files: dict[str, str], settings: FilesParams, collection: Collection
) -> dict[str, list[Clip]]:
    """By the lists of the parameters; without them the last fifth tests, the one before chooses.

    Args:
        clips: with a truth.
        files: clip's name -> name of its file without ending; a list may hold either.
        settings: ``ingest.files``.
        collection: counts the clips that are in no list.

    Raises:
        DataError: a list names no clip, a clip is in two lists, or there are too few.
    """
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
    for name in everywhere:
        if not any(name in (clip.name, files[clip.name]) for clip in clips):
            raise DataError(
                f"echo_clutter: ingest.files: no file or clip is named {name}; the clips are "
                f"{', '.join(clip.name for clip in clips)}"
            )
    splits: dict[str, list[Clip]] = {split: [] for split in _SPLITS}
    for clip in clips:
        found = [
            split
            for split, names in zip(_SPLITS, lists, strict=True)
            if {clip.name, files[clip.name]} & set(names)
        ]
        if len(found) > 1:
            raise DataError(
                f"echo_clutter: ingest.files: clip {clip.name} is in {found[0]}_clips and in "
                f"{found[1]}_clips, by its own name and its file's; leave it in one"
            )
        if not found:
            collection.reject("file in no split")
        else:
            splits[found[0]].append(clip)
    return splits


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
