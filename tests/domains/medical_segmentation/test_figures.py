"""Pictures: the cases that are shown, and planes that go through the structures."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from domains.medical_segmentation.figures import OURS, _memory, draw_planes, picks


def test_worst_median_and_best_case_are_picked_and_unscored_ones_left_out():
    cases = pd.DataFrame({"case": list("abcde"), "dice_mean": [0.5, np.nan, 0.9, 0.1, 0.7]})
    assert picks(cases, "dice_mean") == {"worst": 3, "median": 4, "best": 2}


def test_outlines_lie_where_the_structure_is_in_mm_and_canonical_axes():
    image = np.random.default_rng(0).standard_normal((10, 12, 14)).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    mask[2:5, 3:9, 4:6] = True
    affine = np.diag([-2.0, 1.0, 3.0, 1.0])  # the first axis points to the left
    panels = Canvas().subplots(1, 3)
    draw_planes(panels, image, affine, [], [mask])
    corners = []
    for axes in panels:
        (outline,) = axes.collections
        assert outline.get_edgecolor()[0].tolist() == colour(OURS)
        box = outline.get_paths()[0].get_extents()
        corners.append([*box.min, *box.max])
    # x: voxels 2 … 4 of 10 become 5 … 7, edges 10 … 16 mm; y: 3 … 9 mm; z: 12 … 18 mm
    expected = [[3, 12, 9, 18], [10, 12, 16, 18], [10, 3, 16, 9]]
    np.testing.assert_allclose(corners, expected, atol=1.5)


def colour(name):
    from matplotlib.colors import to_rgba

    return list(to_rgba(name))


def test_a_network_that_cannot_be_of_these_sizes_has_no_line_in_the_picture_of_memory(
    params, tmp_path
):
    model = {**params["model"], "base_channels": 5}
    task = SimpleNamespace(
        config={"model": model}, plan={"spacing_mm": [1.0, 1.0, 1.0]}, channels=["MR"]
    )
    caption = _memory(tmp_path, task).caption
    assert "swtr" in caption
    assert caption.endswith(" MB. Not to be made at these sizes: reversible; reversible, kept.")


def test_a_volume_without_any_structure_is_drawn_too():
    panels = Canvas().subplots(1, 3)
    empty = np.zeros((4, 5, 6), bool)
    draw_planes(panels, np.zeros((4, 5, 6), np.float32), np.eye(4), [empty], [empty])
    assert all(not axes.collections for axes in panels)
