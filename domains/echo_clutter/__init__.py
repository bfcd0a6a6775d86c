"""Hearts without haze: filtering clutter from echocardiographic clips, in space and time.

Paper: M. Tabassian, S. Akbari, S. Queirós, J. D'hooge, "A Deep Learning-based Spatiotemporal
Filter for Transthoracic Echocardiography Clutter", 2024, arXiv:2401.13147, with the authors' code
and clips (github.com/MahdiTabassian/Deep-Clutter-Filtering, MIT).

Data: ``sample`` our simulator of B-mode clips with exact wall motion, clutter added, and a real
cine that comes inside pydicom; ``public`` the authors' clips; or the user's DICOM, video, NPZ.

Axes and units: clips (time, depth, width), display grey levels 0 to 255 (log-compressed, no
physical unit); depth grows downwards from the transducer, width to the right; frame 0 of a
simulated clip is end-diastole; frame time in ms; points (x, y) in pixels, x along the width, y
along the depth, whole numbers at pixel centres; the sector mask is true inside the image.

A dataset is ``clips/<split>_<name>.nc`` for each clip (``science/clips.py``: ``Clip``,
``load_dataset(folder, split)``) and ``card.json``.  Splits are ``train``, ``validate``, ``test``
and ``in_vivo`` (real clips without truth).  Each file has some of

* ``clean`` (time, depth, width) uint8, the truth; absent in ``in_vivo``
* ``cluttered`` (time, depth, width) uint8, the input: the authors' own in their clips, else fixed
  by ``ingest``; absent in our ``train`` clips, for which ``science/clutter.py`` draws it anew for
  each training sample
* ``sector`` (depth, width), 1 where pixels count
* ``contour`` (time, point, xy) float32, material points of the endocardium from the septal base
  over the apex to the lateral base, exact; ``segment`` (point) 0 to 6 in the same order;
  simulated clips alone
* ``paper_3d``, ``paper_2d`` (time, depth, width) uint8, the authors' own results on these frames;
  authors' clips alone
* attributes ``name, split, subject, vendor, view, kind, frame_time_ms, pixel_mm, clutter``.
"""
