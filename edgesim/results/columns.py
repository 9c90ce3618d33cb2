"""The columns of a run's Parquet files, as data: name, type, unit and one line of meaning.

Times that are not said to be absolute are seconds since the request's arrival.  ``docs/metrics.md`` defines
every column at length; a test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

INT32, INT64, FLOAT64, BOOL, NAME = "int32", "int64", "float64", "bool", "name"

ENDS = ("on_time", "late", "dropped", "unfinished")

STAGES = (
    "device_wait_s",
    "decide_s",
    "device_compute_s",
    "encode_s",
    "uplink_wait_s",
    "uplink_s",
    "propagation_s",
    "server_wait_s",
    "server_s",
    "downlink_wait_s",
    "downlink_s",
)
"""The stages of a request in the order in which it passes them."""


class Column(NamedTuple):
    """One column of a table.  ``kind``: int32, int64, float64, bool or name (a dictionary-coded string)."""

    name: str
    kind: str
    unit: str
    meaning: str


CELL = (
    Column("policy", NAME, "", "name of the policy in the scenario"),
    Column("axis_deadline_ms", FLOAT64, "ms", "the run's deadline on the axis; NaN: own deadlines, axis by threshold"),
    Column("replication", INT32, "", "number of the replication, from 0"),
)
"""What names a cell of a run; the first columns of every table."""

REQUESTS = (
    *CELL,
    Column("device", NAME, "", "device that the request belongs to, CLASS-NUMBER"),
    Column("number", INT32, "", "number of the request on its device, from 0"),
    Column("sample", INT32, "", "index of the image in the test split"),
    Column("arrival_s", FLOAT64, "s", "arrival, absolute simulated time"),
    Column("deadline_s", FLOAT64, "s", "deadline after the arrival; infinite: none"),
    Column("counted", BOOL, "", "the arrival lies in the measured window [warm-up, T]"),
    Column("end", NAME, "", "how the request ended: on_time, late, dropped or unfinished"),
    Column("reason", NAME, "", "why it was dropped or is unfinished; empty otherwise"),
    Column("latency_s", FLOAT64, "s", "arrival to first answer; NaN: no answer"),
    Column("used_s", FLOAT64, "s", "arrival to the answer that the slot holds at the deadline; NaN: slot empty then"),
    Column("answers", INT32, "", "answers that reached the device"),
    Column("model", NAME, "", "model of the slot's answer at the deadline, else of the last answer; empty: no answer"),
    Column("exit", INT32, "", "exit of that same answer; -1: no answer"),
    Column("prediction", FLOAT64, "", "prediction of that same answer; NaN: no answer"),
    Column("correct", BOOL, "", "the slot is right at the deadline"),
    Column("final_correct", BOOL, "", "the slot is right once everything has come"),
    Column("error", FLOAT64, "", "absolute error of the slot at the deadline; empty: missed_error; NaN: no regression"),
    Column("missed_error", FLOAT64, "", "absolute error of the mean of the training data; NaN: no regression"),
    Column("cut", INT32, "blocks", "last cut sent; 0: the image; the number of blocks: nothing was sent"),
    Column("codec", NAME, "", "codec of the last cut sent; empty: nothing was sent"),
    Column("device_wait_s", FLOAT64, "s", "waiting for the device's processor"),
    Column("decide_s", FLOAT64, "s", "deciding, on the device's processor"),
    Column("device_compute_s", FLOAT64, "s", "preprocessing, pieces and branches on the device"),
    Column("encode_s", FLOAT64, "s", "encoding on the device"),
    Column("uplink_wait_s", FLOAT64, "s", "waiting for the uplink"),
    Column("uplink_s", FLOAT64, "s", "first to last bit on the uplink"),
    Column("propagation_s", FLOAT64, "s", "propagation, both directions"),
    Column("server_wait_s", FLOAT64, "s", "waiting for a worker, batching included"),
    Column("server_s", FLOAT64, "s", "service of its batch on the server until it has left, decoding included"),
    Column("downlink_wait_s", FLOAT64, "s", "waiting for the downlink"),
    Column("downlink_s", FLOAT64, "s", "first to last bit on the downlink"),
    Column("bytes_up", INT64, "B", "payload sent up, cancel messages included, without link headers"),
    Column("bytes_down", INT64, "B", "payload sent down, without link headers"),
    Column("energy_j", FLOAT64, "J", "energy of the device for this request, above idle"),
    Column("wasted_s", FLOAT64, "s", "computing time: all of it if not on time, else after the deadline"),
    Column("wasted_bytes", INT64, "B", "payload sent: all of it if not on time, else after the deadline"),
    Column("wasted_j", FLOAT64, "J", "device energy: all of it if not on time, else after the deadline"),
)
"""requests.parquet: a row per request."""

ANSWERS = (
    *CELL,
    Column("device", NAME, "", "device that the request belongs to, CLASS-NUMBER"),
    Column("number", INT32, "", "number of the request on its device, from 0"),
    Column("counted", BOOL, "", "the arrival lies in the measured window [warm-up, T]"),
    Column("time_s", FLOAT64, "s", "arrival to this answer at the device"),
    Column("deadline_s", FLOAT64, "s", "deadline after the arrival; infinite: none"),
    Column("model", NAME, "", "model that answered"),
    Column("depth", INT32, "", "rank of the exit over all exits of all models; deeper is larger"),
    Column("exit", INT32, "", "exit that answered"),
    Column("prediction", FLOAT64, "", "its prediction"),
    Column("correct", BOOL, "", "the prediction is right"),
    Column("error", FLOAT64, "", "absolute error of the prediction; NaN: no regression"),
)
"""answers.parquet: a row per answer that reached its device, in order of arrival within a request."""

LINKS = (
    *CELL,
    Column("link", NAME, "", "name of the link in the scenario"),
    Column("device", NAME, "", "device at its end; empty: shared"),
    Column("direction", NAME, "", "up or down"),
    Column("busy_s", FLOAT64, "s", "time with a transfer in progress, within the measured window"),
    Column("bytes", INT64, "B", "payload accepted over the whole run"),
    Column("delivered_bytes", INT64, "B", "payload that reached the other side before the run was over"),
    Column("lost_bytes", INT64, "B", "payload given up after the last try before the run was over"),
    Column("cancelled_bytes", INT64, "B", "payload taken back before it was sent; what is missing was in flight"),
    Column("wire_bytes", INT64, "B", "bytes sent for it, link headers and repetitions included"),
    Column("transfers", INT64, "", "transfers accepted over the whole run"),
)
"""links.parquet: a row per link, device and direction."""

NODES = (
    *CELL,
    Column("node", NAME, "", "name of the node: a device or a server"),
    Column("busy_s", FLOAT64, "s", "worker time spent computing, summed over workers, within the measured window"),
    Column("workers", INT32, "", "workers"),
    Column("served", INT64, "", "requests finished with, within the measured window"),
    Column("batches", INT64, "", "batches finished within the measured window"),
    Column("queue_max", INT32, "", "most requests waiting at once, over the whole run"),
    Column("queue_mean", FLOAT64, "", "time average of the requests waiting, over the measured window"),
    Column("window_s", FLOAT64, "s", "length of the measured window"),
    Column("energy_idle_j", FLOAT64, "J", "idle power times the time in the measured window in which it was there"),
    Column("energy_tail_j", FLOAT64, "J", "energy of the radio's tails and promotions within the measured window"),
    Column("away_s", FLOAT64, "s", "time within the measured window in which it was not there"),
    Column("battery_start_j", FLOAT64, "J", "what the battery held at the window's start; NaN: no battery"),
    Column("battery_harvested_j", FLOAT64, "J", "what came into the battery within the window, spilled included"),
    Column("battery_spilled_j", FLOAT64, "J", "of that, what came when the battery was full"),
    Column("battery_drawn_j", FLOAT64, "J", "what the device took from the battery within the window"),
    Column("battery_end_j", FLOAT64, "J", "what the battery held at the window's end"),
)
"""nodes.parquet: a row per node."""

TABLES = {"requests": REQUESTS, "answers": ANSWERS, "links": LINKS, "nodes": NODES}
"""File stem -> its columns, in their order in the file."""


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of a table; names are dictionary-coded strings."""
    import pyarrow as pa

    kinds: dict[str, Any] = {
        INT32: pa.int32(),
        INT64: pa.int64(),
        FLOAT64: pa.float64(),
        BOOL: pa.bool_(),
        NAME: pa.dictionary(pa.int32(), pa.string()),
    }
    return pa.schema([pa.field(column.name, kinds[column.kind]) for column in columns])
