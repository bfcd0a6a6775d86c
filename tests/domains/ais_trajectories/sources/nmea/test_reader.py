"""NMEA logs: published messages, the real feed against its oracle, and every fault by its name."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import reduce
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domains.ais_trajectories.sources.nmea.reader import read_nmea
from domains.errors import DataError

TIME = "$PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26"
TIME_S = 1_384_257_600.011
GOOD = "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C"
FIRST = "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C"
SECOND = "!AIVDM,2,2,1,A,88888888880,2*25"


def checked(body: str) -> str:
    """The sentence of ``body`` with its checksum."""
    return f"!{body}*{reduce(lambda a, b: a ^ b, body.encode()):02X}"


def tagged(tag: str, sentence: str = GOOD) -> str:
    return f"\\{tag}*{reduce(lambda a, b: a ^ b, tag.encode()):02X}\\{sentence}"


@pytest.fixture
def read(tmp_path: Path):
    """Columns and counted refusals of a log of these lines."""

    def run(*lines: str, **options) -> tuple[dict, dict]:
        path = tmp_path / "log.nmea"
        path.write_bytes("\r\n".join(lines).encode() + b"\r\n")
        rejected: Counter[str] = Counter()
        blocks = list(read_nmea(path, rejected, **options))
        columns = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
        return columns, {name: num for name, num in rejected.items() if num}

    return run


@pytest.mark.parametrize(
    ("lines", "truth"),
    [  # values published with these sentences (E. S. Raymond, AIVDM/AIVDO protocol decoding; pyais)
        (
            [GOOD],
            {
                "message_type": 1,
                "vessel": 477553000,
                "status": 5,
                "sog_kn": 0.0,
                "longitude": -122.345833,
                "latitude": 47.582833,
                "cog_deg": 51.0,
                "heading_deg": 181.0,
            },
        ),
        ([FIRST, SECOND], {"message_type": 5, "vessel": 351759000, "ship_type": 70}),
        (
            ["!AIVDM,1,1,,A,403OviQuMGCqWrRO9>E6fE700@GO,0*4D"],
            {
                "message_type": 4,
                "vessel": 3669702,
                "longitude": -76.352362,
                "latitude": 36.883767,
            },
        ),
        (
            ["!AIVDM,1,1,,B,91b55wi;hbOS@OdQAC062Ch2089h,0*30"],
            {
                "message_type": 9,
                "vessel": 111232511,
                "sog_kn": 42.0,
                "longitude": -6.278843,
                "latitude": 58.144,
                "cog_deg": 154.5,
            },
        ),
        (
            ["!AIVDM,1,1,,A,B52K>;h00Fc>jpUlNV@ikwpUoP06,0*4C"],
            {
                "message_type": 18,
                "vessel": 338087471,
                "sog_kn": 0.1,
                "longitude": -74.072132,
                "latitude": 40.68454,
                "cog_deg": 79.6,
                "heading_deg": 511.0,
            },
        ),
        (
            ["!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B"],
            {
                "message_type": 19,
                "vessel": 367059850,
                "sog_kn": 8.7,
                "longitude": -88.810392,
                "latitude": 29.543695,
                "cog_deg": 335.9,
                "ship_type": 70,
            },
        ),
        (
            ["!AIVDM,1,1,,A,H42O55lt0000000D3nink000?0500,0*70"],
            {"message_type": 24, "vessel": 271041815, "ship_type": 60},
        ),
        (
            ["!AIVDM,1,1,,B,KC5E2b@U19PFdLbMuc5=ROv62<7m,0*16"],
            {
                "message_type": 27,
                "vessel": 206914217,
                "longitude": 137.023333,
                "latitude": 4.84,
                "sog_kn": 57.0,
                "cog_deg": 167.0,
            },
        ),
    ],
)
def test_published_messages_decode_to_their_published_content(read, lines, truth):
    columns, refused = read(TIME, *lines)
    assert refused == {}
    assert columns["time_s"].tolist() == [TIME_S]
    assert {name: columns[name][0] for name in truth} == pytest.approx(truth, abs=1e-6)


def test_five_minutes_of_danish_waters_decode_to_the_oracle_message_for_message(test_data):
    folder = test_data / "ais"
    rejected: Counter[str] = Counter()
    (found,) = read_nmea(folder / "dma_nmea_20131112_1200_5min.txt.gz", rejected)
    assert sum(rejected.values()) == 0
    assert len(found["vessel"]) == 26_077
    assert len(np.unique(found["vessel"])) == 1508
    rows = np.isin(found["message_type"], [1, 2, 3, 18])
    oracle = pl.read_csv(folder / "dma_nmea_20131112_1200_5min_decoded.csv.gz")
    assert rows.sum() == len(oracle) == 24_688
    for name, column, tolerance in [
        ("vessel", "mmsi", 0),
        ("message_type", "msg_type", 0),
        ("longitude", "lon", 5e-7),
        ("latitude", "lat", 5e-7),
        ("sog_kn", "speed", 0),
        ("cog_deg", "course", 0),
        ("heading_deg", "heading", 0),
        ("status", "status", 0),
        ("rot_deg_min", "turn", 0.5),
    ]:
        truth = oracle[column].cast(pl.Float64).to_numpy()
        known = np.isfinite(truth)  # type 18 has neither status nor rate of turn
        np.testing.assert_allclose(found[name][rows][known], truth[known], rtol=0, atol=tolerance)
        assert known.all() or (found["message_type"][rows][~known] == 18).all()
    received = oracle["t"].to_numpy().astype("datetime64[ms]").astype(np.int64) / 1000
    np.testing.assert_array_equal(found["time_s"][rows], received)
    sentinels = {"sog_kn": (102.3, 65), "cog_deg": (360, 125), "heading_deg": (511, 3695)}
    for name, (value, count) in {**sentinels, "rot_deg_min": (-128, 3213)}.items():
        is_class_a = found["message_type"][rows] != 18
        seen = found[name][rows] == value
        assert (seen & is_class_a if name == "rot_deg_min" else seen).sum() == count


def test_what_is_read_does_not_depend_on_where_blocks_end(test_data):
    path = test_data / "ais" / "dma_nmea_20131112_1200_5min.txt.gz"
    whole, pieces = Counter(), Counter()
    (truth,) = read_nmea(path, whole)
    blocks = list(read_nmea(path, pieces, block_bytes=99_973))
    assert len(blocks) > 30
    assert whole == pieces
    for name, values in truth.items():
        np.testing.assert_array_equal(np.concatenate([b[name] for b in blocks]), values)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD[:-2] + "5D", "checksum"),
        (GOOD.replace("177K", "177L"), "checksum"),
        (GOOD[:-1], "sentence cut or without its seven fields"),
        (
            checked("AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH"),
            "sentence cut or without its seven fields",
        ),
        (GOOD + GOOD, "two sentences on one line"),
        (checked("AIVDM,1,0,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0"), "fragment number"),
        (checked("AIVDM,1,2,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0"), "fragment number"),
        (checked("AIVDM,,,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0"), "fragment number"),
        (checked("AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,7"), "fill bits"),
        (checked("AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,"), "fill bits"),
        (checked("AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0T~H,0"), "payload"),
        (checked("AIVDM,1,1,,B,,0"), "payload"),
        (checked("AIVDM,1,1,,B,177K,0"), "message too short"),
        (checked("AIVDM,1,1,,B,177KQJ5000G,0"), "message too short"),
        (checked("AIALR,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0"), "not an AIS sentence"),
        (checked("AIVDM,1,1,,B,8h30otA?0@<o;NPPPP<j>nD<,0"), "message of another type"),
        (tagged("s:A,c:1384257700").replace("c:13", "c:14"), "tag block checksum"),
        (TIME.replace("2013", "2014"), "receive time line"),
        ("position 55 N 12 E", "neither a sentence nor a tag block"),
        (FIRST, "message with fragments missing"),
        (SECOND, "message with fragments missing"),
    ],
)
def test_one_bad_line_is_counted_by_reason_and_the_good_ones_stay(read, line, reason):
    columns, refused = read(TIME, GOOD, line, GOOD)
    assert refused == {reason: 1}
    assert columns["vessel"].tolist() == [477553000, 477553000]


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (GOOD.partition("*")[0], "sentence cut or without its seven fields"),
        ("!AIVDM,1,1,,B,177KQJ5000", "sentence cut or without its seven fields"),
        ("!", "not an AIS sentence"),
        ("\\s:A,c:1384257700*", "tag block checksum"),
        ("\\", "tag block checksum"),
        ("$PGHP,1,2013*", "receive time line"),
        ("*", "neither a sentence nor a tag block"),
    ],
)
def test_a_log_that_breaks_off_in_a_line_keeps_what_came_before(read, cut, reason):
    columns, refused = read(TIME, GOOD, cut)
    assert refused == {reason: 1}
    assert columns["vessel"].tolist() == [477553000]


def test_whatever_bytes_a_log_holds_every_line_that_is_whole_is_read(tmp_path: Path):
    random = np.random.default_rng(0)
    marks = np.frombuffer(b"!\\*,\n\r$PGHVD:c0\xff\x00", np.uint8)
    for _ in range(100):
        noise = random.choice(marks, 60).tobytes()
        path = tmp_path / "log.nmea"
        path.write_bytes(f"{TIME}\n{GOOD}\n".encode() + noise + f"\n{GOOD}\n".encode() + noise)
        columns = [block["vessel"] for block in read_nmea(path, Counter())]
        assert np.concatenate(columns).tolist() == [477553000] * 2


def test_other_sentences_and_tag_lines_without_time_are_no_faults(read):
    columns, refused = read(
        TIME, "$GPRMC,120000,A,5540.0,N,01235.0,E*4D", "", "\\si:AISD*3F\\", GOOD
    )
    assert refused == {}
    assert len(columns["vessel"]) == 1


def test_refusing_names_file_line_and_reason(read):
    with pytest.raises(DataError, match=r"log.nmea: line 4: refused for its checksum; mend it, or"):
        read(TIME, GOOD, GOOD, GOOD[:-2] + "00", "rubbish", refuse=True)


def test_fragments_find_each_other_between_other_messages_and_whatever_their_order(read):
    columns, refused = read(TIME, SECOND, GOOD, FIRST, GOOD)
    assert refused == {}
    assert columns["message_type"].tolist() == [1, 5, 1]


def test_a_second_station_that_hears_the_same_fragment_does_no_harm(read):
    columns, refused = read(TIME, FIRST, FIRST, SECOND)
    assert refused == {}
    assert columns["vessel"].tolist() == [351759000]


def test_a_fragment_does_not_wait_for_one_of_a_minute_later(read):
    later = tagged("c:1384257700", SECOND)
    _, refused = read(tagged("c:1384257600", FIRST), later, tagged("c:1384257800"))
    assert refused == {"message with fragments missing": 2}


@pytest.mark.parametrize(
    ("lines", "time_s"),
    [
        ([tagged("s:station,c:1384257600,t:12:00")], 1384257600.0),
        ([tagged("c:1384257600123")], 1384257600.123),
        (["\\" + tagged("s:a,c:1384257600")], 1384257600.0),  # two backslashes: libais #235
        ([tagged("c:1384257600", ""), GOOD], 1384257600.0),
        ([GOOD + ",r003669945,1384257600"], 1384257600.0),
        ([TIME, GOOD + ",1384257999"], 1384257999.0),
        ([TIME, tagged("g:2-2-1234")], TIME_S),
        ([TIME, tagged("c:1384257999")], 1384257999.0),
    ],
)
def test_the_receive_time_is_what_the_log_last_named(read, lines, time_s):
    columns, refused = read(*lines)
    assert refused == {}
    assert columns["time_s"].tolist() == [time_s]


def test_without_a_receive_time_it_is_unknown(read):
    assert np.isnan(read(GOOD)[0]["time_s"]).all()


def test_a_damaged_archive_is_named(tmp_path: Path):
    path = tmp_path / "log.nmea.gz"
    path.write_bytes(gzip.compress(f"{TIME}\n{GOOD}\n".encode() * 100)[:-20])
    with pytest.raises(DataError, match=r"log.nmea.gz: .*damaged or cut short; copy or download"):
        list(read_nmea(path, Counter()))


def test_a_file_without_lines_is_no_log(tmp_path: Path):
    path = tmp_path / "image.nmea"
    path.write_bytes(b"\xff\xd8" * (3 << 20))
    with pytest.raises(DataError, match=r"no line ends within .* bytes, expected text"):
        list(read_nmea(path, Counter()))
