"""The algorithms in qgis_process, on their own."""

import geopandas
import rasterio
import shapely
from rasterio.windows import Window


def test_a_batch_and_the_state_of_the_engine(profile, scene, weights, tmp_path, by_command_line, shapes, phrases):
    run = profile.process(
        "run", "rrsis:segmentbatch", "--", f"INPUTS={scene}", "PHRASES=" + "\n".join(phrases), "THREADS=1",
        f"WEIGHTS={weights}", f"FOLDER={tmp_path / 'many'}",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert shapes(tmp_path / "many" / "scene.gpkg") == by_command_line
    run = profile.process(
        "run", "rrsis:trainingsamples", "--", f"INPUT={scene}", f"OUTLINES={tmp_path / 'many' / 'scene.gpkg'}",
        "FIELD=phrase", "TILE=64", f"FOLDER={tmp_path / 'set'}",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "set" / "train.jsonl").read_text().count("the trees") > 3
    run = profile.process("run", "rrsis:enginestatus")
    assert run.returncode == 0 and '"executable"' in run.stdout, run.stdout + run.stderr


def test_a_part_of_a_real_raster(profile, shared, weights, tmp_path):
    raster, target = shared / "rasters" / "naip_m_3211605_ne_11_060_20200415.tif", tmp_path / "real.gpkg"
    with rasterio.open(raster) as source:
        left, bottom, right, top = source.window_bounds(Window(source.width // 2, source.height // 2, 200, 150))
    run = profile.process(
        "run", "rrsis:segmentbyphrase", "--", f"INPUT={raster}", "PHRASES=the trees", f"WEIGHTS={weights}", "THREADS=1",
        f"EXTENT={left},{right},{bottom},{top}", "THRESHOLD=0.01", f"OUTPUT={target}",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    found = geopandas.read_file(target)
    assert len(found) and shapely.box(left, bottom, right, top).buffer(1).contains(found.union_all())


def test_errors_are_sentences(profile, scene, weights, tmp_path):
    asked = ["run", "rrsis:segmentbyphrase", "--", f"INPUT={scene}", f"OUTPUT={tmp_path / 'o.gpkg'}"]
    run = profile.process(*asked, "PHRASES=florble gnarx", f"WEIGHTS={weights}")
    assert run.returncode != 0 and "florble" in run.stdout + run.stderr
