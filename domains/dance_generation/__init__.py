"""Dances to music, and an honest measure of whether they follow it.

Papers: N. Yalta, S. Watanabe, K. Nakadai, T. Ogata, "Weakly-Supervised Deep Recurrent Neural
Networks for Basic Dance Step Generation", IJCNN 2019, arXiv:1807.01126 (the networks, the filtered
F-measure, the step entropy); R. Li et al., "AI Choreographer", ICCV 2021, arXiv:2101.08779 (motion
beats, beat alignment).

Data: ``sample`` synthetic songs and a parametric dancer; ``public`` CMU salsa takes (motion
capture) warped to songs they were never danced to; or the user's BVH, AIST++ or NPZ motions and
any music.

Axes and units: time in s; metres, y up, the dancer looks along +z and the left side is +x; the
rotation of a joint is in its parent's frame, as a matrix or in the 6-D form (its first two
columns); audio is mono with largest magnitude 1.

A dataset at rest is a folder of::

    dataset.json               fps, audio_rate_hz, steps (names), skeleton (names, parents,
                               offsets_m, channels of the BVH file, end_sites, unit_m)
    pairs/<split>_<name>.nc    NetCDF, S samples, F frames, J joints, B beats:
        audio          (S,) float32       mono, S = F · audio_rate_hz / fps
        root_position  (F, 3) float32     m
        rotations      (F, J, 6) float32  6-D
        step           (F,) int16         index into the names in dataset.json
        beats          (B,) float64       s since the first frame and sample
        count          (B,) int16         place in the bar, from 1
        attributes     name, song, take, performance, split, beats_per_bar, tempo_bpm, fps,
                       audio_rate_hz, simulated
    card.json                  source, licence, counts, what was refused or warped

Songs and performances of the test are in no other split; partners are one performance.
"""
