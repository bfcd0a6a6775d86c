"""One DAG, one cache: what runs, what does not, and what survives a failure."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.runner import Processes
from tests.checkout import Checkout


def outcomes(output: str) -> dict[str, str]:
    """Stage -> outcome, from the lines ``✓ train@toy: ran in 3.1 s``."""
    found = {}
    for line in output.splitlines():
        if line[:2] in ("✓ ", "· ", "✗ ", "- "):
            stage, _, rest = line[2:].partition(": ")
            found[stage] = rest.split()[0].rstrip(":")
    return found


def test_a_second_run_does_nothing_and_says_so(finished: Checkout) -> None:
    output = finished.convoy("run", "--no-server")
    assert "nothing to do: 4 stages are up to date" in output
    assert outcomes(output) == {}
    assert output.strip().splitlines()[-1].startswith("open ")


def test_a_typed_repro_agrees_that_nothing_is_stale(finished: Checkout) -> None:
    before = (finished.root / "dvc.lock").read_bytes()
    assert "Data and pipelines are up to date" in finished.dvc("repro")
    assert (finished.root / "dvc.lock").read_bytes() == before


def test_one_learning_rate_reruns_its_dependants_and_flipped_back_restores(
    finished: Checkout,
) -> None:
    before = finished.weights()
    changed = outcomes(finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.02"))
    assert changed == {"train@toy": "ran", "evaluate@toy": "ran", "report": "ran"}
    assert finished.weights() != before
    back = outcomes(finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.01"))
    assert back["train@toy"] == back["evaluate@toy"] == "restored"
    assert finished.weights() == before


def test_pages_of_restored_results_show_the_restored_run(finished: Checkout) -> None:
    page = finished.root / "outputs/report/toy.html"

    def without_history() -> str:
        """Numbers, parameters, commit, date and minutes, not the table of all runs."""
        head, _, rest = page.read_text().partition("<h2>Key number by run</h2>")
        return head + rest.partition("<h2>")[2]

    before = without_history()
    finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.02")
    assert "lr: 0.02" in page.read_text()
    finished.convoy("run", "--no-server", "-S", "toy.train.lr=0.01")
    assert without_history() == before
    assert "1 (shown here)" in page.read_text()


def test_an_override_waits_for_the_run_that_reads_the_file(finished: Checkout) -> None:
    first = finished.start("run", "--no-server", "-S", "toy.train.max_steps=30", TOY_PAUSE_S="0.2")
    finished.wait_for(finished.step, 120)
    second = finished.start("run", "--no-server", "-S", "toy.train.max_steps=20")
    output, _ = first.communicate(timeout=200)
    assert "step 30/30" in output
    output, _ = second.communicate(timeout=200)
    assert "another run is at toy" in output
    assert "step 20/20" in output


def test_a_failure_before_anything_was_evaluated_is_told_at_once(checkout: Checkout) -> None:
    (checkout.root / "mine.csv").write_text("a,b\n1,2\n")
    output = checkout.convoy("run", "--no-server", "-S", "toy.source=mine.csv", code=1)
    assert outcomes(output)["ingest@toy"] == "failed"
    assert "trying again" not in output
    assert "open " not in output  # there is no page


def test_an_evaluation_parameter_does_not_retrain(finished: Checkout) -> None:
    changed = outcomes(finished.convoy("run", "--no-server", "-S", "toy.evaluate.slope=1.5"))
    assert changed == {"evaluate@toy": "ran", "report": "ran"}


def test_an_edited_figure_does_not_retrain_and_an_edited_network_does(finished: Checkout) -> None:
    with open(finished.root / "domains/toy/evaluate.py", "a") as stream:
        stream.write("# a new figure\n")
    stale = finished.convoy("status")
    assert stale.count("stale") == 2
    with open(finished.root / "domains/toy/models/__init__.py", "a") as stream:
        stream.write("# a new layer\n")
    assert finished.convoy("status").count("stale") == 3


def test_metrics_plots_and_experiments_of_dvc_work(finished: Checkout) -> None:
    assert "fixed_slope" in finished.dvc("metrics", "show")
    finished.dvc("plots", "show")
    assert (finished.root / "dvc_plots/index.html").is_file()
    finished.dvc("exp", "run", "-S", "toy.train.lr=0.05")
    assert "lr: 0.05" in (finished.root / "params.yaml").read_text()
    assert "0.05" in finished.dvc("exp", "show", "--csv")
    finished.dvc("plots", "diff", "HEAD", "workspace")
    assert "error" in finished.dvc("metrics", "diff", "HEAD", "--all")


def test_queued_experiments_run_in_the_background_and_are_kept(finished: Checkout) -> None:
    for rate in ("0.03", "0.07"):
        finished.dvc("exp", "run", "--queue", "-S", f"toy.train.lr={rate}")
    assert finished.dvc("queue", "status").count("Queued") == 2
    finished.dvc("queue", "start", "--jobs", "1")
    finished.wait_for(lambda: finished.dvc("queue", "status").count("Success") == 2, 240)
    finished.dvc("queue", "stop", "--kill")
    table = finished.dvc("exp", "show", "--csv")
    assert "0.03" in table
    assert "0.07" in table


def test_the_default_remote_gives_back_every_output(finished: Checkout) -> None:
    finished.dvc("push")
    outputs = finished.root / "outputs"
    before = {p: p.read_bytes() for p in outputs.rglob("*") if p.is_file()}
    shutil.rmtree(outputs)
    shutil.rmtree(finished.root / ".dvc/cache")
    finished.dvc("pull")
    after = {p: p.read_bytes() for p in outputs.rglob("*") if p.is_file()}
    pages = {p for p in before if p.suffix in (".html", ".png") and "report" in p.parts}
    assert set(before) - pages == set(after) - pages
    assert all(after[p] == before[p] for p in after)


def test_bad_input_is_one_line_and_leaves_earlier_results(finished: Checkout) -> None:
    (finished.root / "mine.csv").write_text("a,b\n1,2\n")
    page = finished.root / "outputs/report/toy.html"

    def results() -> dict[Path, bytes]:
        files = {p for p in (finished.root / "outputs").rglob("*") if p.is_file()}
        return {p: p.read_bytes() for p in files if page.parent not in p.parents}

    before = results()
    change = ("-S", "toy.source=mine.csv", "-S", "toy.train.seed=77")
    output = finished.convoy("run", "--no-server", *change, code=1)
    assert "mine.csv: expected columns x, y, found ['a', 'b']" in output
    assert outcomes(output)["ingest@toy"] == "failed"
    assert outcomes(output)["train@toy"] == "skipped"
    assert re.search(r"toy +│ not finished", output)
    assert results() == before
    assert "failed at ingest@toy" in page.read_text()
    assert "seed: 0" in page.read_text()  # the page shows what made its results


def test_changed_files_of_the_user_are_ingested_anew(finished: Checkout) -> None:
    mine = finished.root / "mine.csv"
    mine.write_text("x,y\n" + "1,2\n2,4\n3,6\n4,8\n" * 4)
    finished.convoy("run", "--no-server", "-S", "toy.source=mine.csv")
    assert "nothing to do" in finished.convoy("run", "--no-server")
    mine.write_text(mine.read_text() + "5,10\n6,12\n7,14\n8,16\n")
    assert finished.convoy("status").count("stale") == 4
    assert outcomes(finished.convoy("run", "--no-server"))["ingest@toy"] == "ran"
    assert len((finished.root / "outputs/dataset/toy/points.csv").read_text().split()) == 21
    assert "nothing to do" in finished.convoy("run", "--no-server")
    finished.convoy("run", "--no-server", "-S", "toy.source=sample")
    mine.write_text("x,y\n" + "1,2\n2,4\n3,6\n4,8\n" * 4)
    output = finished.convoy("run", "--no-server", "-S", "toy.source=mine.csv")
    assert outcomes(output)["ingest@toy"] == "ran"  # not restored: the cache has 20 points
    assert len((finished.root / "outputs/dataset/toy/points.csv").read_text().split()) == 17


def test_a_persons_settings_change_no_result(finished: Checkout, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 20\n")
    other = tmp_path / "other"
    other.mkdir()
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copyfile(finished.root / name, other / name)
    (finished.places.state / "failures").mkdir()
    note = finished.places.state / "failures/toy.txt"
    note.write_text("The latest run failed")
    before = (finished.root / "dvc.lock").read_bytes()
    variables = {"MATPLOTLIBRC": str(tmp_path), "CONVOY_ROOT": str(other)}
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "-q", "-f", "-s", "evaluate@toy"],
        cwd=finished.root,
        env=finished.environment(**variables),
        check=True,
    )
    assert (finished.root / "dvc.lock").read_bytes() == before
    assert {path.name for path in other.iterdir()} == {"dvc.yaml", "params.yaml"}
    assert not note.exists()  # what failed before has been made


def test_a_line_of_other_bytes_ends_no_run(checkout: Checkout) -> None:
    process = Processes().start(["printf", "caf\\351\\n"], checkout.places, {})
    assert process.communicate()[0] == "caf\ufffd\n"


def test_one_failing_domain_does_not_stop_another(checkout: Checkout) -> None:
    shutil.copytree(checkout.root / "domains/toy", checkout.root / "domains/twin")
    for path in (checkout.root / "domains/twin").rglob("*.py"):
        path.write_text(path.read_text().replace("domains.toy", "domains.twin"))
    text = (checkout.root / "params.yaml").read_text()
    block = text.partition("toy:\n")[2].replace("source: sample", "source: absent.csv")
    (checkout.root / "params.yaml").write_text(
        text.replace("- toy", "- toy\n- twin") + "twin:\n" + block
    )
    output = checkout.convoy("run", "--no-server", code=1)
    ended = outcomes(output)
    assert ended["ingest@twin"] == "failed"
    assert ended["evaluate@toy"] == ended["report"] == "ran"
    assert "failed: ingest@twin" in output


def test_two_processes_train_one_model_and_log_one_run(finished: Checkout) -> None:
    finished.set("devices: auto", "devices: 2")
    finished.set("accelerator: auto", "accelerator: cpu")
    assert outcomes(finished.convoy("run", "--no-server"))["evaluate@toy"] == "ran"
    spools = list(finished.root.glob(".state/spool/toy/*-1/records.jsonl"))
    trainings = [path for path in spools if not path.parent.name.startswith("flow")]
    assert len(trainings) == 2  # the one of the fixture and this one


def test_a_missing_mlflow_server_is_a_warning_and_sync_completes_the_record(
    finished: Checkout,
) -> None:
    output = finished.convoy(
        "run",
        "--no-server",
        "-S",
        "toy.evaluate.slope=1.5",
        MLFLOW_TRACKING_URI="http://127.0.0.1:9",
    )
    assert "records wait for MLflow at http://127.0.0.1:9; `convoy sync`" in output
    assert outcomes(output)["evaluate@toy"] == "ran"
    assert ", 0 still waiting" in finished.convoy("sync")


def test_a_params_typo_stops_before_anything_runs(finished: Checkout) -> None:
    finished.set("max_steps", "maxsteps")
    output = finished.convoy("run", "--no-server", code=1)
    assert output.startswith("error: params.yaml: unknown key `toy.train.maxsteps`")
    assert len(output.strip().splitlines()) == 1


def test_it_works_without_git(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / ".git")
    output = checkout.convoy("run", "--no-server")
    assert outcomes(output)["report"] == "ran"
    assert "no git checkout" in (checkout.root / "outputs/report/toy.html").read_text()


def test_it_works_without_network_and_with_the_environment_not_activated(
    checkout: Checkout,
) -> None:
    unshare = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let a test take its network away (unshare --net)")
    done = subprocess.run(
        [*unshare, sys.executable, "-m", "flows", "run", "--no-server"],
        cwd=checkout.root,
        env={**checkout.environment(), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(done.stdout)["report"] == "ran"


def test_an_existing_model_answers_a_file(finished: Checkout) -> None:
    (finished.root / "in.csv").write_text("x\n0.5\n1.5\n")
    output = finished.convoy("predict", "toy", "in.csv", "out.csv")
    assert "written: out.csv" in output
    assert (finished.root / "out.csv").read_text().startswith("x,y\n0.5,")
    (finished.root / "bad.csv").write_text("z\n1\n")
    assert "expected a column x" in finished.convoy("predict", "toy", "bad.csv", "o.csv", code=1)
    assert "no such file" in finished.convoy("predict", "toy", "absent.csv", "o.csv", code=1)
    assert "replace the input" in finished.convoy("predict", "toy", "in.csv", "in.csv", code=1)
    assert (finished.root / "in.csv").read_text() == "x\n0.5\n1.5\n"
    for override, words in (
        ("model.width=9", "belongs to the trained model"),
        ("evaluate.slope={a: [", "not valid YAML"),
        ("evaluate.slope=1900-02-30", "not valid YAML"),
        ("evaluate.slop=1", "did you mean `slope`"),
    ):
        output = finished.convoy("predict", "toy", "in.csv", "o.csv", "-S", override, code=1)
        assert words in output
        assert len(output.strip().splitlines()) == 1
    assert "cannot be written" in finished.convoy("predict", "toy", "in.csv", "/proc/o", code=1)
    model = finished.root / "outputs/model/toy/model.json"
    model.write_text(model.read_text().replace('"num_points": 64', '"gone": 1'))  # of old code
    finished.convoy("predict", "toy", "in.csv", "out.csv")


def test_a_model_file_that_does_not_fit_is_refused(finished: Checkout) -> None:
    path = finished.root / "outputs/model/toy/weights.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    (finished.root / "in.csv").write_text("x\n0.5\n")
    output = finished.convoy("predict", "toy", "in.csv", "out.csv", code=1)
    assert output.startswith("error: ")
    assert not (finished.root / "out.csv").exists()
