"""Which voxel is which organ or tumour: 3-D segmentation of MR and CT volumes.

Papers: T. Chen et al., "xLSTM-UNet can be an Effective 2D & 3D Medical Image Segmentation Backbone
with Vision-LSTM (ViL) better than its Mamba Counterpart", 2024, arXiv:2407.01530; M. Pendse,
V. Thangarasa, V. Chiley, R. Holmdahl, J. Hestness, D. DeCoste, "Memory Efficient 3D U-Net with
Reversible Mobile Inverted Bottlenecks for Brain Tumor Segmentation", BrainLes 2020,
arXiv:2104.09648; G. Hille et al., "Joint Liver and Hepatic Lesion Segmentation in MRI using a
Hybrid CNN with Transformer Layers" (SWTR-Unet), CMPB 2023, arXiv:2201.10981.

Data: ``sample`` a simulated cohort grown from the MNI152 template that comes inside nilearn;
``public`` MSD Task04 Hippocampus, 260 real MR volumes (CC BY-SA 4.0); or the user's MSD, nnU-Net
or BraTS folder, NIfTI pairs, DICOM series.

Axes and units: an image is (C, X, Y, Z), C channel, in the scanner's own intensity unit (Hounsfield
for CT); a label is (X, Y, Z), small whole numbers, 0 background; an affine (4, 4) takes voxel
indices to mm in RAS (x to the right, y to the front, z up); distances in mm, volumes in ml.

A dataset is a folder::

    dataset.json      name, kind ("simulated anatomy" or "real"), channels, labels {name: value},
                      regions {name: [values]} or null, paint {name: value} or null, splits
                      {train, validate, test: [case]}, subjects {case: subject}, source
    fingerprint.json  {"measured": ..., "plan": {"spacing_mm", "patch", "normalisation"}}, from the
                      training cases alone
    images/<case>_0000.nii.gz, _0001 ...   one file a channel, on the scanner's grid
    labels/<case>.nii.gz                   uint8, on the same grid
    card.json

``science.cases`` reads and writes it, ``science.preparation`` takes a case to the network's grid
(canonical axes, planned spacing, normalised) and an answer back onto the scanner's grid.
"""
