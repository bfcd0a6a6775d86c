"""Ultrasound DICOM of every colour, depth and compression; what is missing or wrong is told."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from domains.echo_clutter.sources.dicom import read_dicom
from domains.errors import DataError

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"


def region(left, top, right, bottom, **tags):
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = 1, 1
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    for key, value in tags.items():
        setattr(item, key, value)
    return item


def test_a_real_cine_is_read_with_time_region_and_scale():
    cine = read_dicom(PACKAGED / "examples_ybr_color.dcm")
    assert cine.frames.shape == (30, 240, 320)
    assert cine.frame_time_ms == pytest.approx(33.333)
    # the file says (84, 31) to (595, 414) and 0.0510497 cm, for an image twice as large
    assert cine.region == (15, 42, 208, 298)
    assert cine.pixel_mm == pytest.approx(1.020994, rel=1e-5)
    assert cine.vendor == "SonoSite, Inc."
    assert ["taken for an image 2 times as large" in line for line in cine.warnings] == [True]
    luma = cine.frames[0][cine.find_sector()]
    assert 20 < luma.mean() < 90


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("examples_palette.dcm", (1, 350, 800)),
        ("examples_rgb_color.dcm", (1, 240, 320)),
        ("examples_jpeg2k.dcm", (1, 480, 640)),
        ("ExplVR_BigEnd.dcm", (1, 60, 80)),
    ],
)
def test_other_colours_compressions_and_byte_orders_become_grey(name, shape):
    cine = read_dicom(PACKAGED / name)
    assert cine.frames.shape == shape
    assert cine.frames.dtype == np.uint8
    assert cine.frames.dtype.isnative
    assert np.isnan(cine.frame_time_ms)
    assert cine.frames.max() > 150
    assert len(np.unique(cine.frames)) > 50


def test_a_palette_is_looked_up():
    header = pydicom.dcmread(PACKAGED / "examples_palette.dcm")
    tables = [
        np.frombuffer(header[f"{colour}PaletteColorLookupTableData"].value, np.uint16) >> 8
        for colour in ("Red", "Green", "Blue")
    ]
    index = header.pixel_array
    expected = sum(w * t[index] for w, t in zip((0.299, 0.587, 0.114), tables, strict=True))
    found = read_dicom(PACKAGED / "examples_palette.dcm").frames[0]
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_sixteen_bits_of_the_other_byte_order_are_the_same_numbers(dicom_file, cine_frames):
    values = cine_frames.astype(np.uint16) * 16 + 3
    little = read_dicom(dicom_file(values)).frames
    path = dicom_file(values, PixelData=values.byteswap().tobytes())
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    options = {"implicit_vr": False, "little_endian": False, "force_encoding": True}
    pydicom.dcmwrite(path, data, **options)
    found = read_dicom(path).frames
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, little)


def test_colours_become_luma_and_an_overlay_is_told(dicom_file, cine_frames):
    colour = np.stack([cine_frames] * 3, axis=-1)
    colour[:, 30:45, 30:50] = [200, 40, 10]
    cine = read_dicom(dicom_file(colour))
    assert cine.frames[0, 35, 40] == round(0.299 * 200 + 0.587 * 40 + 0.114 * 10)
    np.testing.assert_array_equal(cine.frames[:, :30], cine_frames[:, :30])
    assert any("6 % of the pixels are coloured (Doppler overlay?)" in w for w in cine.warnings)


def test_sixteen_bits_without_a_window_are_spread_over_the_grey_levels(dicom_file, cine_frames):
    cine = read_dicom(dicom_file(cine_frames.astype(np.uint16) * 16))
    expected = np.rint(cine_frames * (255 / cine_frames.max()))
    np.testing.assert_allclose(cine.frames, expected, atol=1)
    assert "16 bits without a window: values 0 to " in cine.warnings[0]


def test_a_window_is_applied(dicom_file, cine_frames):
    tags = {"WindowCenter": 1024.5, "WindowWidth": 2049}
    values = (cine_frames.astype(np.uint16)) * 16
    cine = read_dicom(dicom_file(values, **tags))
    np.testing.assert_allclose(cine.frames, np.clip(values / 2048, 0, 1) * 255, atol=1)


def voi_lut(num_entries, depth):
    """A linear table from ``num_entries`` stored values to all of ``depth`` bits."""
    item = Dataset()
    entries = np.linspace(0, 2**depth - 1, num_entries).astype("<u2")
    item.add_new("LUTDescriptor", "US", [num_entries, 0, depth])
    item.add_new("LUTData", "OW", entries.tobytes())
    return {"VOILUTSequence": [item]}


@pytest.mark.parametrize(
    ("bits", "tags"),
    [
        (12, voi_lut(4096, 8)),
        (8, voi_lut(256, 16)),
        (8, {"RescaleSlope": 1, "RescaleIntercept": -128}),
        (8, {"RescaleSlope": 2, "RescaleIntercept": 0, "WindowCenter": 256, "WindowWidth": 511}),
        (
            12,
            {
                "RescaleSlope": 1,
                "RescaleIntercept": -3048,
                "WindowCenter": -1000,
                "WindowWidth": 4096,
            },
        ),
    ],
)
def test_a_full_ramp_becomes_all_grey_levels_through_tables_and_rescaling(dicom_file, bits, tags):
    ramp = np.linspace(0, 2**bits - 1, 8 * 16 * 16).astype(np.uint8 if bits == 8 else np.uint16)
    path = dicom_file(ramp.reshape(8, 16, 16), BitsStored=bits, HighBit=bits - 1, **tags)
    expected = ramp.reshape(8, 16, 16) / (2**bits - 1) * 255
    np.testing.assert_allclose(read_dicom(path).frames, expected, atol=1)


@pytest.mark.parametrize("window", [{}, {"WindowCenter": -127, "WindowWidth": 256}])
def test_a_negative_slope_turns_black_and_white_over(dicom_file, cine_frames, window):
    path = dicom_file(cine_frames, RescaleSlope=-1, RescaleIntercept=0, **window)
    np.testing.assert_allclose(read_dicom(path).frames, 255 - cine_frames, atol=1)


def test_monochrome1_is_turned_over(dicom_file, cine_frames):
    path = dicom_file(255 - cine_frames, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_dicom(path).frames, cine_frames)


def test_lossless_jpeg_gives_the_very_pixels(dicom_file, cine_frames, tmp_path):
    gdcm = pytest.importorskip("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(dicom_file(cine_frames)))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(tmp_path / "lossless.dcm"))
    assert writer.Write()
    syntax = pydicom.dcmread(tmp_path / "lossless.dcm").file_meta.TransferSyntaxUID
    assert syntax == "1.2.840.10008.1.2.4.70"
    np.testing.assert_array_equal(read_dicom(tmp_path / "lossless.dcm").frames, cine_frames)


def test_a_single_frame_is_a_clip_of_one_without_time(dicom_file, cine_frames):
    cine = read_dicom(dicom_file(cine_frames[0]))
    np.testing.assert_array_equal(cine.frames, cine_frames[:1])
    assert np.isnan(cine.frame_time_ms)


@pytest.mark.parametrize(
    ("tags", "time", "warning"),
    [
        ({"FrameTime": None}, np.nan, "no FrameTime; set ingest.files.frame_time_ms"),
        ({"FrameTime": None, "CineRate": 40}, 25.0, None),
        ({"FrameTime": None, "FrameTimeVector": [0] + [20] * 9}, 20.0, None),
        (
            {"FrameTime": None, "FrameTimeVector": [0] + [20] * 8 + [90]},
            20.0,
            "unevenly spaced, 20 to 90 ms; their median 20 ms",
        ),
    ],
)
def test_time_comes_from_whatever_says_it(dicom_file, cine_frames, tags, time, warning):
    cine = read_dicom(dicom_file(cine_frames, **tags))
    assert cine.frame_time_ms == pytest.approx(time, nan_ok=True)
    assert len(cine.warnings) == (warning is not None)
    assert warning is None or warning in cine.warnings[0]


def test_the_largest_image_region_is_taken_and_traces_are_not(dicom_file, cine_frames):
    trace = region(0, 0, 79, 59)
    trace.RegionSpatialFormat = 3
    regions = [region(0, 0, 9, 9), region(5, 0, 74, 58), trace]
    cine = read_dicom(dicom_file(cine_frames, SequenceOfUltrasoundRegions=regions))
    assert cine.region == (0, 5, 59, 75)
    assert cine.warnings == []
    assert np.isnan(cine.pixel_mm)


@pytest.mark.parametrize(
    ("ends", "box", "scale", "told"),
    [
        ((79, 59), (0, 0, 60, 80), 1, None),
        ((80, 59), (0, 0, 60, 80), 1, "by a few pixels; cut to them"),
        ((81, 61), (0, 0, 60, 80), 1, "by a few pixels; cut to them"),
        ((82, 59), None, np.nan, "and is not used"),
        ((159, 119), (0, 0, 60, 80), 2, "an image 2 times as large"),
        ((160, 120), (0, 0, 60, 80), 2, "an image 2 times as large"),
        ((239, 170), (0, 0, 57, 80), 3, "an image 3 times as large"),
        ((159, 59), None, np.nan, "and is not used"),  # twice as wide, not twice as high
        ((80, 88), None, np.nan, "and is not used"),  # as in examples_palette.dcm
        ((119, 89), None, np.nan, "and is not used"),
    ],
)
def test_a_region_beyond_the_frames_is_cut_divided_or_left(
    dicom_file, cine_frames, ends, box, scale, told
):
    item = region(0, 0, *ends, PhysicalUnitsXDirection=3, PhysicalDeltaX=0.1)
    cine = read_dicom(dicom_file(cine_frames, SequenceOfUltrasoundRegions=[item]))
    assert cine.region == box
    assert cine.pixel_mm == pytest.approx(scale, nan_ok=True)
    assert [told in line for line in cine.warnings] == [True] * (told is not None)
    assert cine.is_region_sure == (scale == 1)


def test_a_real_region_of_other_proportions_is_not_used():
    cine = read_dicom(PACKAGED / "examples_palette.dcm")  # (120, 60) to (800, 518) in 800 × 350
    assert cine.region is None
    assert any("(800, 518) lies outside" in w and "not used" in w for w in cine.warnings)


def test_a_region_that_begins_beyond_the_frames_is_not_used(dicom_file, cine_frames):
    item = region(80, 0, 81, 59)
    cine = read_dicom(dicom_file(cine_frames, SequenceOfUltrasoundRegions=[item]))
    assert cine.region is None


def test_a_region_that_is_turned_over_is_refused(dicom_file, cine_frames):
    path = dicom_file(cine_frames, SequenceOfUltrasoundRegions=[region(40, 30, 10, 50)])
    with pytest.raises(DataError, match="ends before it begins"):
        read_dicom(path)


def test_the_sector_lies_in_the_region(dicom_file, cine_frames):
    moving_text = cine_frames.copy()
    moving_text[::2, 4:9, 3:14] = 0  # a blinking sign, as large as the sector's parts
    path = dicom_file(moving_text, SequenceOfUltrasoundRegions=[region(16, 0, 66, 59)])
    sector = read_dicom(path).find_sector()
    assert sector[20:50, 40].all()
    assert not sector[:, :16].any()


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"Modality": "MR"}, r"Modality is MR, expected US"),
        ({"PixelData": None}, "no PixelData"),
        ({"PixelData": b"\0" * 100}, "cannot be decoded.*the file is cut short"),
    ],
)
def test_what_is_no_ultrasound_image_is_refused(dicom_file, cine_frames, tags, message):
    with pytest.raises(DataError, match=message):
        read_dicom(dicom_file(cine_frames, **tags))


@pytest.mark.parametrize("share", [0.003, 0.1, 0.2, 0.9])
def test_a_real_file_cut_short_is_refused(tmp_path, share):
    content = (PACKAGED / "examples_ybr_color.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"cut\.dcm: .*cut short"):
        read_dicom(tmp_path / "cut.dcm")


def test_irregular_tags_are_told_and_never_quoted(dicom_file, cine_frames, caplog):
    path = dicom_file(cine_frames)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"DS\x04\x0025.0", b"DS\x04\x002,50"))
    cine = read_dicom(path)
    assert np.isnan(cine.frame_time_ms)
    assert any("FrameTime is no positive number" in line for line in cine.warnings)
    assert not any("2,50" in line for line in (*cine.warnings, *caplog.messages))


def test_pixels_with_a_tail_are_read_and_told(dicom_file, cine_frames, caplog):
    path = dicom_file(cine_frames, PixelData=cine_frames.tobytes() + b"\0" * 100)
    cine = read_dicom(path)
    np.testing.assert_array_equal(cine.frames, cine_frames)
    assert cine.warnings == [f"{cine.name}: 1 irregular tags or pixels, read as they are"]
    assert caplog.messages == []


def test_a_black_cine_has_no_sector(dicom_file, cine_frames):
    cine = read_dicom(dicom_file(0 * cine_frames))
    with pytest.raises(DataError, match=r"no ultrasound sector found.*sector: whole"):
        cine.find_sector()
    assert cine.find_sector("whole").all()


def test_a_file_that_is_no_dicom_is_refused(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"nothing" * 40)
    with pytest.raises(DataError, match=r"a\.dcm: not a readable DICOM file"):
        read_dicom(tmp_path / "a.dcm")
