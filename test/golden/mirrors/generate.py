"""Event files and offline runs as Python's own libraries write them, and a check that they read ours.

    pip install tensorboard==2.21.0 wandb==0.19.11     # the last wandb whose file format is written in Python
    python generate.py                # writes events.tfevents and run.wandb
    python generate.py check DIR      # reads every file of both kinds below DIR, prints what it finds
"""

import json
import sys
from pathlib import Path

import wandb

wandb._assert_is_internal_process = True
from google.protobuf.timestamp_pb2 import Timestamp
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from wandb.proto import wandb_internal_pb2 as pb
from wandb.sdk.internal.datastore import DataStore

here = Path(__file__).parent


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def items(kind, values):
    return [kind(nested_key=[name], value_json=compact(value)) for name, value in values.items()]


def write(given):
    with open(here / "events.tfevents", "wb") as file:
        writer = RecordWriter(file)
        writer.write(event_pb2.Event(wall_time=given["at"], file_version="brain.Event:2").SerializeToString())
        for line in given["lines"]:
            values = [
                summary_pb2.Summary.Value(tag=tag, simple_value=value)
                for tag, value in line.items()
                if not isinstance(value, str) and tag != "step"
            ]
            event = event_pb2.Event(wall_time=given["at"], step=line["step"], summary=summary_pb2.Summary(value=values))
            writer.write(event.SerializeToString())

    run = given["run"]
    path = here / "run.wandb"
    path.unlink(missing_ok=True)
    store = DataStore()
    store.open_for_write(str(path))
    store.write(pb.Record(num=0, header=pb.HeaderRecord(version_info=pb.VersionInfo(producer="aha-rl"))))
    config = [pb.ConfigItem(key=key, value_json=compact(value)) for key, value in run["config"].items()]
    start = Timestamp(seconds=int(run["startedAt"]), nanos=round(run["startedAt"] % 1 * 1e9))
    record = pb.RunRecord(run_id=run["id"], project=run["project"], display_name=run["name"], start_time=start)
    record.config.update.extend(config)
    store.write(pb.Record(num=1, run=record))
    # The last line is longer than two blocks of the log.
    lines = given["lines"] + [{"step": 4, "text": "x" * given["longValue"]}]
    for index, line in enumerate(lines):
        values = {**line, "_step": index, "_timestamp": given["at"], "_runtime": given["at"] - run["startedAt"]}
        history = pb.HistoryRecord(item=items(pb.HistoryItem, values), step=pb.HistoryStep(num=index))
        store.write(pb.Record(num=2 + 2 * index, history=history))
        summary = pb.SummaryRecord(update=items(pb.SummaryItem, values))
        store.write(pb.Record(num=3 + 2 * index, summary=summary))
    store.write(pb.Record(exit=pb.RunExitRecord()))
    store.close()


def check(folder):
    for path in sorted(folder.rglob("events.out.tfevents.*")):
        events = [event_pb2.Event.FromString(raw) for raw in RawEventFileLoader(str(path)).Load()]
        steps = [(event.step, len(event.summary.value)) for event in events[1:]]
        print(path.relative_to(folder), events[0].file_version, "(step, scalars):", steps)
    for path in sorted(folder.rglob("run-*.wandb")):
        store = DataStore()
        store.open_for_scan(str(path))
        kinds = []
        while (data := store.scan_data()) is not None:
            kinds.append(pb.Record.FromString(data).WhichOneof("record_type"))
        print(path.relative_to(folder), {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)})


if len(sys.argv) == 3 and sys.argv[1] == "check":
    check(Path(sys.argv[2]))
else:
    write(json.loads((here / "lines.json").read_text()))
