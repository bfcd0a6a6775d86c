"""CSV, JSON and Parquet as their publishers write them, and what is wrong with them by name."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domains.ais_trajectories.params import ColumnNames, FilesParams
from domains.ais_trajectories.science.storage import read_table
from domains.ais_trajectories.sources.messages import find_files, guess_format, read_messages
from domains.errors import DataError

DMA = """\
# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,\
Callsign,Name,Ship type,Cargo type,Width,Length
01/03/2024 23:59:58,Class A,219000001,55.123400,12.654321,Under way using engine,-3.5,12.3,181.2,\
180,9123456,OXAB,"SHIP, BIG",Cargo,,20,100
01/03/2024 00:00:03,Class B,219000002,91.000000,0.000000,Unknown value,,,,,Unknown,Unknown,,\
Undefined,,,
02/03/2024 12:00:00,Base Station,2190047,55.1,12.1,Unknown value,,,,,,,,,,,
"""
MARINECADASTRE = """\
MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length
367000001,2024-12-31T03:36:00,29.5,-88.75,8.5,335.9,511.0,X,IMO1,C,70,0,100
"""
MARINECADASTRE_2025 = """\
mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,vessel_type,status
367000001,2025-01-01 03:36:00,-88.75,29.5,8.5,335.9,511.0,X,70,0
"""
OWN = ColumnNames(
    vessel="id",
    time="when",
    longitude="x",
    latitude="y",
    sog="speed",
    cog=None,
    heading=None,
    rot=None,
    status=None,
    ship_type=None,
)


def files(format: str = "auto", columns: ColumnNames = OWN) -> FilesParams:
    return FilesParams(format=format, bad_sentences="count", columns=columns)


@pytest.fixture
def read(tmp_path: Path):
    """Columns, refusals and warnings of a file of this content."""

    def run(name: str, content: str | bytes, settings: FilesParams | None = None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        rejected: Counter[str] = Counter()
        warnings: list[str] = []
        blocks = list(read_messages(path, settings or files(), rejected, warnings))
        columns = {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}
        return columns, {key: num for key, num in rejected.items() if num}, warnings

    return run


def test_danish_rows_keep_their_times_codes_and_gaps(read):
    columns, refused, _ = read("aisdk-2024-03-01.csv", DMA)
    assert refused == {}
    stamps = np.array(["2024-03-01T23:59:58", "2024-03-01T00:00:03", "2024-03-02T12:00:00"])
    assert columns["time_s"].tolist() == stamps.astype("datetime64[s]").astype(float).tolist()
    assert columns["message_type"].tolist() == [1, 18, 4]
    assert columns["ship_type"].tolist() == [70, 0, 0]
    assert columns["status"].tolist() == [0, 15, 15]
    assert (columns["longitude"][0], columns["latitude"][0]) == (12.654321, 55.1234)
    np.testing.assert_allclose(columns["rot_deg_min"], [-3.5, np.nan, np.nan])
    np.testing.assert_allclose(columns["sog_kn"], np.float32([12.3, np.nan, np.nan]))


@pytest.mark.parametrize(
    ("text", "year"), [(MARINECADASTRE, "2024-12-31"), (MARINECADASTRE_2025, "2025-01-01")]
)
def test_marinecadastre_is_read_in_both_layouts(read, text, year):
    columns, _, _ = read("AIS.csv", text)
    truth = np.datetime64(f"{year}T03:36:00").astype(float)
    values = [columns[name][0] for name in ("time_s", "longitude", "latitude", "ship_type")]
    assert values == [truth, -88.75, 29.5, 70]


def test_a_zip_of_one_file_is_read_and_one_of_two_refused(read, tmp_path):
    for number in (1, 2):
        with zipfile.ZipFile(tmp_path / "day.zip", "a") as archive:
            archive.writestr(f"{number}.csv", DMA)
        content = (tmp_path / "day.zip").read_bytes()
        if number == 1:
            assert len(read("copy.zip", content)[0]["vessel"]) == 3
    with pytest.raises(DataError, match=r"copy.zip: holds 2 files, expected one; unpack it"):
        read("copy.zip", content)


def test_times_of_own_tables_are_seconds_or_iso_with_or_without_zone(read):
    text = "id,when,x,y,speed\n" + "\n".join(
        f"5,{when},1,2,3"
        for when in (
            "1700000000.5",
            "2023-11-14T22:13:20.5",
            "2023-11-14 22:13:20.500Z",
            "2023-11-15T00:13:20.5+02:00",
            "2023-11-15T00:13:20.5+02",
            "yesterday",
            "2023-11-14",
            "2023-11-14T22:13",
            "2023-11-14 22:13Z",
            "2023-11-15T00:13+0200",
        )
    )
    columns, _, _ = read("own.csv", text, files("columns"))
    truth = [1700000000.5] * 5 + [np.nan] * 2 + [1699999980.0] * 3
    np.testing.assert_array_equal(columns["time_s"], truth)


def test_rows_without_a_vessel_are_counted_and_text_in_a_number_is_unknown(read):
    text = "id,when,x,y,speed\nA,1,1,2,3\n,1,1,2,3\n7.0,1,1,2,fast\n7.5,1,1,2,3\n8,1,1\n"
    columns, refused, _ = read("own.csv", text, files("columns"))
    assert refused == {"row without a whole number for the vessel": 3}
    assert columns["vessel"].tolist() == [7, 8]
    assert np.isnan(columns["sog_kn"]).all()
    assert np.isnan(columns["latitude"]).tolist() == [False, True]


def test_an_open_quote_costs_its_own_row_alone(read):
    good = "7,1,1,2,3\n"
    text = f'id,when,x,y,speed\n{good}8,"1,1,2,3\n{good}{good}9,1,1,2,"3\n"7",1,1,2,3\n'
    columns, refused, _ = read("own.csv", text, files("columns"))
    assert refused == {"row with a quote that does not end": 2}
    assert columns["vessel"].tolist() == [7, 7, 7, 7]


@pytest.mark.parametrize("cut", ["9,17", "9,17\n", "9,17,1,2,3,\n", "9,17,1,2,3,4,5\n"])
def test_a_row_of_another_length_is_read_wherever_it_stands(read, cut):
    good = "7,1,1,2,3\n"
    for text in (cut, good + cut, *([cut + good] if cut.endswith("\n") else [])):
        columns, _, _ = read("own.csv", f"id,when,x,y,speed\n{text}", files("columns"))
        assert sorted(columns["vessel"].tolist()) == [7] * text.count(good) + [9]
        row = columns["vessel"].tolist().index(9)
        assert columns["time_s"][row] == 17
        np.testing.assert_equal(columns["latitude"][row], 2.0 if "2" in cut else np.nan)


def test_a_blank_first_row_and_an_open_quote_at_the_end_cost_themselves_alone(read):
    text = 'id,when,x,y,speed\n\n7,1,1,2,3\n8,"1,1'
    columns, refused, _ = read("own.csv", text, files("columns"))
    assert columns["vessel"].tolist() == [7]
    assert refused == {
        "row with a quote that does not end": 1,
        "row without a whole number for the vessel": 1,
    }


def test_a_table_without_line_ends_is_refused_in_one_line(read):
    text = MARINECADASTRE.replace("\n", "\r")
    for kind in ("auto", "marinecadastre"):
        with pytest.raises(DataError, match=r"own.csv: the first line is no header of a CSV, exp"):
            read("own.csv", text, files(kind))


def test_a_missing_column_is_named_with_what_was_found(read):
    with pytest.raises(DataError, match="no column 'when', 'id', 'x', 'y', found a, b; set "):
        read("own.csv", "a,b\n1,2\n", files("columns"))
    with pytest.raises(DataError, match=r"no column 'speed', found id, when, x, y; set ingest"):
        read("own.csv", "id,when,x,y\n1,2,3,4\n", files("columns"))
    with pytest.raises(DataError, match=r"no column '# Timestamp'.*set ingest.files.format"):
        read("own.csv", MARINECADASTRE, files("dma"))


def test_an_unknown_table_says_what_to_set(read):
    with pytest.raises(DataError, match=r"of no known format, its first line is 'a,b,c'; set inge"):
        read("own.csv", "a,b,c\n1,2,3\n")


def test_the_baltic_state_warns_that_its_times_are_those_of_the_query(test_data):
    path = test_data / "ais" / "digitraffic_baltic_20251211T2044.csv.gz"
    warnings: list[str] = []
    blocks = list(read_messages(path, files(), Counter(), warnings))
    assert sum(len(block["vessel"]) for block in blocks) == 9735
    assert warnings == [f"{path.name}: times are those of the query, up to hours after the message"]
    sog = np.concatenate([block["sog_kn"] for block in blocks])
    cog = np.concatenate([block["cog_deg"] for block in blocks])
    assert np.isclose(sog, 102.3).sum() == 25
    assert (cog == 360).sum() == 348


def test_digitraffic_json_takes_the_time_of_the_message(read):
    feature = {
        "mmsi": 219598000,
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [20.85169, 55.770832]},
        "properties": {
            "mmsi": 219598000,
            "sog": 0.1,
            "cog": 346.5,
            "navStat": 1,
            "rot": 4,
            "heading": 79,
            "timestamp": 59,
            "timestampExternal": 1659212938646,
        },
    }
    broken = {"type": "Feature", "properties": {}}
    text = json.dumps({"type": "FeatureCollection", "features": [feature, broken]})
    columns, refused, _ = read("locations.json", text)
    assert refused == {"feature without position, vessel or time": 1}
    names = ("vessel", "time_s", "longitude", "latitude", "heading_deg", "status")
    truth = [219598000, 1659212938.646, 20.85169, 55.770832, 79, 1]
    assert [columns[name][0] for name in names] == truth
    with pytest.raises(DataError, match="not a FeatureCollection of Digitraffic's locations"):
        read("locations.json", '{"vessels": []}')


def test_the_dataset_itself_is_a_geoparquet_that_can_be_read_again(tiny_dataset):
    settings = files(columns=OWN.model_copy(update={"vessel": "vessel", "cog": "course"}))
    (block,) = read_messages(tiny_dataset / "tracks.parquet", settings, Counter(), [])
    truth = read_table(tiny_dataset, "tracks")
    for name in ("vessel", "time_s", "longitude", "latitude", "sog_kn", "cog_deg", "ship_type"):
        np.testing.assert_array_equal(block[name], truth[name])


def test_positions_come_from_point_geometries_if_there_are_no_columns(tmp_path):
    import geopandas
    import pandas as pd

    frame = pd.DataFrame({"id": [5, 6], "when": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    points = geopandas.points_from_xy([10.0, -170.5], [55.0, 1.25])
    points = geopandas.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")
    points.to_parquet(tmp_path / "points.parquet")
    (block,) = read_messages(tmp_path / "points.parquet", files(), Counter(), [])
    assert block["longitude"].tolist() == [10.0, -170.5]
    assert block["latitude"].tolist() == [55.0, 1.25]
    assert block["time_s"].tolist() == [1704067200.0, 1704153600.0]
    points.to_crs("EPSG:25832").to_parquet(tmp_path / "utm.parquet")
    with pytest.raises(DataError, match=r"geometries are in EPSG:25832, expected degrees"):
        list(read_messages(tmp_path / "utm.parquet", files(), Counter(), []))


def test_a_parquet_without_positions_or_that_is_none_is_refused(tmp_path):
    pq.write_table(pa.table({"id": [1], "when": [2.0]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column for longitude, latitude, found id, when; set"):
        list(read_messages(tmp_path / "a.parquet", files(), Counter(), []))
    (tmp_path / "b.parquet").write_text("no")
    with pytest.raises(DataError, match=r"b.parquet: not a Parquet file"):
        list(read_messages(tmp_path / "b.parquet", files(), Counter(), []))


@pytest.mark.parametrize(
    ("when", "truth"),
    [
        (pa.array(["2024-01-01T00:00:00", "soon"]), [1704067200, np.nan]),
        (pa.array(["2024-01-01T01:00+01", None]).dictionary_encode(), [1704067200, np.nan]),
        (pa.array([1_000_001_999, None], pa.timestamp("ns")), [1.000001, np.nan]),
        (pa.array([5, 6], pa.timestamp("s", tz="Europe/Copenhagen")), [5, 6]),
        (pa.array([5, 6]), [5, 6]),
    ],
)
def test_times_of_a_parquet_are_timestamps_seconds_or_iso(tmp_path, when, truth):
    table = pa.table({"id": [5, 6], "when": when, "x": [1, 2], "y": [1, 2]})
    pq.write_table(table, tmp_path / "a.parquet")
    (block,) = read_messages(tmp_path / "a.parquet", files(), Counter(), [])
    np.testing.assert_array_equal(block["time_s"], truth)


def test_a_number_too_large_for_a_vessel_is_counted(tmp_path):
    table = pa.table({"id": [2**60 + 1, 7], "when": [1, 2], "x": [1, 2], "y": [1, 2]})
    pq.write_table(table, tmp_path / "a.parquet")
    rejected: Counter[str] = Counter()
    (block,) = read_messages(tmp_path / "a.parquet", files(), rejected, [])
    assert block["vessel"].tolist() == [7]
    assert rejected == {"row without a whole number for the vessel": 1}


@pytest.mark.parametrize(("name", "wanted"), [("when", "timestamps, s since"), ("x", "numbers")])
def test_a_parquet_column_of_lists_is_named_with_what_is_expected(tmp_path, name, wanted):
    table = {"id": [1], "when": [2.0], "x": [1.0], "y": [2.0], name: [[1.0, 2.0]]}
    pq.write_table(pa.table(table), tmp_path / "paths.parquet")
    with pytest.raises(DataError, match=rf"column '{name}' holds list<.*>, expected {wanted}"):
        list(read_messages(tmp_path / "paths.parquet", files(), Counter(), []))


def test_blocks_do_not_change_what_is_read(tmp_path):
    from domains.ais_trajectories.sources.tables import read_csv

    path = tmp_path / "own.csv"
    path.write_text("id,when,x,y,speed\n" + "".join(f"{n},{n},1.5,2.5,3\n" for n in range(500)))
    blocks = list(read_csv(path, "columns", OWN, Counter(), [], block_bytes=300))
    assert len(blocks) > 10
    assert np.concatenate([block["vessel"] for block in blocks]).tolist() == list(range(500))


def test_files_are_found_by_their_endings_packed_or_not(tmp_path):
    for name in ("b.csv.gz", "a.nmea", "c.parquet", "day.zip", "notes.md", "x.gz"):
        (tmp_path / name).touch()
    found = [path.name for path in find_files(str(tmp_path))]
    assert found == ["a.nmea", "b.csv.gz", "c.parquet", "day.zip"]
    with pytest.raises(DataError, match="no such file or folder, expected AIS messages"):
        find_files(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no file of AIS messages in this folder"):
        find_files(str(tmp_path / "empty"))


def test_formats_are_told_by_their_first_lines(tmp_path):
    for name, text, kind in [
        ("a.txt", "\\s:x*00\\!BSVDM,1,1,,A,1,0*00\n", "nmea"),
        ("b.csv", DMA, "dma"),
        ("c.csv", "\ufeff" + MARINECADASTRE, "marinecadastre"),
        ("d.geojson", "{}", "digitraffic"),
    ]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert guess_format(tmp_path / name) == kind
