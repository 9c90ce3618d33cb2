"""Strategies that draw small worlds out of anything that scenarios can say, the simplest first."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]
Draw = st.DrawFn

BLOCKS, EXITS = 3, 3
SERVERS = ("edge", "cloud")
CLASSES = ("a", "b", "c")
STATE_CODEC, IMAGE_CODEC = "int8", "png"
ONE_ANSWER = ("device_only", "server_only", "fixed_cut", "thresholds", "random", "neurosurgeon", "tiers")
"""Types of policies that answer every request once, and do nothing more for it."""


def pick(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def without_nones(data: Data) -> Data:
    """Keys that were drawn as absent are absent."""
    return {key: value for key, value in data.items() if value is not None}


def durations_ms(scale: float) -> st.SearchStrategy[Any]:
    """A number or a distribution about ``scale``."""
    return pick(
        scale,
        0.3 * scale,
        {"distribution": "exponential", "mean_ms": scale},
        {"distribution": "uniform", "low_ms": 0.2 * scale, "high_ms": 3 * scale},
        {"distribution": "lognormal", "mean_ms": scale, "cv": 1.5},
        {"distribution": "erlang", "mean_ms": scale, "k": 3},
    )


SEASONAL = {"process": "seasonal", "of": {"process": "constant", "rate_mbps": 2}, "amplitude": 1, "period_s": 0.8}


def rates() -> st.SearchStrategy[Data]:
    """From comfortable to far too little, with outages, some of them for ever."""
    constant = [{"process": "constant", "rate_mbps": mean} for mean in (8.0, 1.0, 0.2)]
    ar1 = [{"process": "ar1", "mean_mbps": mean, "cv": 0.8, "correlation_1s": 0.5} for mean in (8.0, 1.0, 0.2)]
    return st.one_of(
        pick(constant[0]),
        pick(*constant),
        pick(
            {"process": "steps", "steps": [[0, 4], [0.3, 0.2], [0.5, 0], [0.7, 8]], "ends": "loop"},
            {"process": "steps", "steps": [[0, 0], [0.2, 1]]},
            {"process": "steps", "steps": [[0, 2], [0.6, 0]]},
        ),
        pick(*ar1, {**ar1[0], "cv": 1.5, "outage_share": 0.2, "outage_mean_s": 1.0}),
        pick(
            {"process": "markov", "states_mbps": [0, 1, 5], "generator_hz": [[-4, 4, 0], [2, -4, 2], [0, 4, -4]]},
            {"process": "markov", "states_mbps": [3, 0], "matrix": [[0.9, 0.1], [0.5, 0.5]], "step_ms": 20},
            {"process": "gilbert_elliott", "good_mbps": 4, "good_mean_s": 0.3, "bad_mean_s": 0.1},
            {"process": "gilbert_elliott", "good_mbps": 4, "bad_mbps": 0.1, "p": 0.1, "r": 0.3, "step_ms": 30},
            {"process": "random_walk", "high_mbps": 3, "change_mbps": 3, "step_ms": 50},
            SEASONAL,
        ),
    )


def disciplines(classes: list[str]) -> st.SearchStrategy[Data]:
    return pick(
        {"type": "equal"},
        {"type": "weighted", "weights": {classes[0]: 3}},
        {"type": "round_robin"},
        {"type": "round_robin", "quantum_bytes": 200},
        {"type": "airtime"},
        {"type": "csma"},
        {"type": "csma", "rates": "own"},
        {"type": "csma", "speeds": {classes[0]: 0.25}},
    )


LOSSES = (
    {"process": "bernoulli", "p": 0.3, "tries": 2},
    {"process": "bernoulli", "p": 0.5, "tries": 1},
    {"process": "gilbert_elliott", "to_bad": 0.3, "to_good": 0.4, "tries": 2},
)


NEAR_AND_FAR = {
    "process": "radio",
    "path_loss": {"type": "umi"},
    "sites": [{"position_m": [0, 0], "server": "edge"}, {"position_m": [120, 0], "server": "cloud"}],
    "mobility": {"type": "random_waypoint", "area_m": [120, 40], "low_mps": 100, "high_mps": 300},
    "carrier_ghz": 3.5,
    "bandwidth_mhz": 0.3,
    "fading": {"type": "rayleigh", "coherence_ms": 20},
    "handover": {"hysteresis_db": 1, "time_to_trigger_ms": 40, "interruption_ms": 60},
}


def ways(own: bool) -> st.SearchStrategy[Data]:
    """Rates up and down; own: each device may have rates of its own."""
    apart = st.fixed_dictionaries({"up": rates(), "down": rates()})
    cells = pick(*({"up": NEAR_AND_FAR, "down": NEAR_AND_FAR, "handover": each} for each in ("survive", "restart")))
    return st.one_of(apart, apart, apart, cells) if own else apart


@st.composite
def fibres(draw: Draw) -> Data:
    """Plain links, such as may stand between servers."""
    return {
        "up": draw(rates()),
        "down": draw(rates()),
        "delay_ms": draw(pick(0, 10)),
        "headers": draw(pick("none", "tcp")),
        "prior_mbps": 2,
    }


@st.composite
def links(draw: Draw, classes: list[str]) -> Data:
    """Between devices and servers; classes: those that have it."""
    if draw(pick(True, False, False)):
        return draw(fibres())
    shared = {"sharing": "cell", "discipline": draw(disciplines(classes))} if draw(st.booleans()) else {}
    way = draw(ways(own=not shared))
    cold = {"connection": "cold", "handshake_rtts": 2, "idle_s": 0.1}
    return {
        **way,
        "delay_ms": draw(pick(0, 4, 30)),
        "jitter_ms": draw(pick(0, 5)),
        "loss": draw(pick(None, None, None, *LOSSES)),
        "headers": draw(pick("none", "tcp")),
        "prior_mbps": 2,
        **shared,
        **draw(pick({}, {}, cold)),
    }


def arrivals() -> st.SearchStrategy[Data]:
    return pick(
        {"process": "periodic", "rate_hz": 10},
        {"process": "periodic", "rate_hz": 40, "jitter_ms": 20},
        {"process": "poisson", "rate_hz": 20},
        {"process": "poisson", "rate_hz": 80},
        {"process": "mmpp", "burst_hz": 120, "quiet_hz": 5, "burst_mean_s": 0.1, "quiet_mean_s": 0.3},
        {"process": "diurnal", "rate_hz": 30, "amplitude": 1, "period_s": 1},
    )


def deadlines(known: str) -> st.SearchStrategy[Data]:
    drawn = pick(
        {"distribution": "fixed", "ms": 100},
        {"distribution": "fixed", "ms": 30},
        {"distribution": "uniform", "low_ms": 5, "high_ms": 200},
        {"distribution": "exponential", "mean_ms": 60},
    )
    return drawn.map(lambda deadline: {**deadline, "known": known})


AFTER = pick("continue", "abort")
LOAD = {"process": "on_off", "speed": 0.3, "on_mean_s": 0.2, "off_mean_s": 0.3}
POWER = {"idle_w": 1, "compute_w": 3, "send_w": 0.5, "receive_w": 0.25}
RADIO = {"send_w": 1, "receive_w": 0.5, "send_uj_per_bit": 0.1, "tail_w": 0.7, "tail_s": 0.1}
WAKING_RADIO = {**RADIO, "receive_uj_per_packet": 20, "promotion_w": 0.9, "promotion_s": 0.05}
POWERS = (POWER, {"idle_w": 1, "compute_w": 3, "radio": RADIO}, {"idle_w": 0.2, "compute_w": 2, "radio": WAKING_RADIO})
HARVEST = {"process": "constant", "power_w": 4, "efficiency": 0.8}


@st.composite
def supplies(draw: Draw) -> Data:
    """Nothing that counts energy, the mains, or a battery that may well run out."""
    power = draw(maybe(pick(*POWERS)))
    if power is None or draw(st.booleans()):
        return without_nones({"power": power})
    battery = {"capacity_j": draw(pick(2.0, 0.5, 0.1)), "initial_share": draw(pick(1.0, 0.5)), "cut_off_share": 0.2}
    return {"power": power, "battery": {**battery, "restart_share": 0.3, **draw(pick({}, {"harvest": HARVEST}))}}


@st.composite
def devices(draw: Draw, link: str | None, known: str | None) -> Data:
    """known: what policies know of its deadlines; None: there may be none."""
    sends = {} if link is None else {"link": link, "server": draw(pick(*SERVERS))}
    return without_nones(
        {
            "count": draw(pick(1, 2, 3)),
            "arrivals": draw(arrivals()),
            "processor": {"factor": draw(pick(1.0, 0.1, 4.0)), **draw(pick({}, {}, {"load": LOAD}))},
            "priority": draw(pick(0, 1)),
            "queue": {"order": draw(pick("fifo", "newest", "drop_oldest")), "bound": draw(pick(None, 1, 3))},
            "after_deadline": draw(AFTER),
            "deadline": draw(maybe(deadlines("none")) if known is None else deadlines(known)),
            "samples": draw(pick({}, {"correlation": 0.7})),
            "fallback": draw(maybe(pick({"timeout_ms": 50}, {"timeout_ms": 5}, {"timeout_ms": 300})))
            if sends
            else None,
            **draw(supplies()),
            **sends,
        }
    )


@st.composite
def servers(draw: Draw, exact: bool) -> Data:
    """exact: whether every request can say its deadline."""
    data = {
        "workers": draw(pick(1, 2, 3)),
        "processor": {"factor": draw(pick(0.5, 0.1, 3.0)), **draw(pick({}, {}, {"load": LOAD}))},
        "batch": draw(pick({"max_size": 1}, {"max_size": 3, "max_wait_ms": 8}, {"max_size": 8})),
        "after_deadline": draw(AFTER),
        "result_bytes": draw(pick(8, 3000)),
    }
    if draw(st.booleans()):
        return data
    schedulers = ["in_turn", "in_turn", "processor_sharing", *(["imprecise"] if exact else [])]
    scheduler, orders = draw(pick(*schedulers)), ["fifo", "priority", *(["edf"] if exact else [])]
    queue = {"order": draw(pick(*orders)), "bound": draw(pick(None, 1, 4))}
    if scheduler != "in_turn":
        data["batch"] = {"max_size": 1}
    if scheduler == "imprecise":
        data["workers"], queue = 1, {"order": "edf", "bound": None}
    limits = [None, {"type": "max_wait", "max_wait_ms": 5}, *([{"type": "deadline"}] if exact else [])]
    more = {
        "count": draw(pick(1, 2, 3)),
        "balance": draw(pick("round_robin", "least_work", "two_choices", "random", "nearest")),
        "queue": None if scheduler == "processor_sharing" else queue,
        "admission": draw(pick(*limits)),
        "scheduler": {"type": scheduler},
        "report_every_ms": draw(pick(None, None, 30)),
    }
    return data | without_nones(more)


@st.composite
def occasions(draw: Draw) -> Data:
    """When something befalls: once, or again and again."""
    if draw(st.booleans()):
        at_s = draw(st.integers(0, 40)) * 0.0271
        return without_nones({"at_s": at_s, "for_s": draw(pick(0.05, 0.2, 0.013, None))})
    random = {"gap_ms": draw(durations_ms(150)), "length_ms": draw(durations_ms(80))}
    return {**random, "together": draw(st.booleans())}


@st.composite
def events(draw: Draw, classes: list[str], link_names: list[str], server_names: list[str]) -> Data:
    devices_, nodes = pick(*classes, f"{classes[0]}-0"), pick(*server_names, *classes, f"{classes[0]}-0")
    kinds: list[Any] = [
        *3 * [st.fixed_dictionaries({"what": st.just("down"), "node": nodes})],
        st.fixed_dictionaries({"what": st.just("slow"), "node": nodes, "factor": pick(3.0, 0.5)}),
        st.fixed_dictionaries({"what": st.just("arrivals"), "devices": devices_, "factor": pick(4.0, 0.0)}),
    ]
    if link_names:
        direction = pick("both", "up", "down")
        kinds.append(
            st.fixed_dictionaries(
                {"what": st.just("link"), "link": pick(*link_names), "direction": direction, "factor": pick(0.0, 0.3)}
            )
        )
        lost = {"what": st.just("reports"), "server": pick(*SERVERS), "probability": pick(1.0, 0.5)}
        kinds.append(st.fixed_dictionaries(lost))
    return {**draw(st.one_of(kinds)), **draw(occasions())}


@st.composite
def policies(draw: Draw, sends: bool, exact: bool, tiers: bool, local: bool) -> Data:
    """sends: whether all devices have a link.  exact: whether deadlines are known.  tiers: whether servers have one.

    local: whether it may be one that sends nothing.
    """
    threshold = draw(pick(0.6, 0.9))
    found: list[Data] = [{"type": "device_only"}, {"type": "thresholds", "threshold": threshold}, {"type": "anytime"}]
    if not local:
        found.clear()
    if sends:
        cut = draw(pick(*range(BLOCKS + 1)))
        codec = {"cut": cut, "codec": STATE_CODEC if cut else IMAGE_CODEC}
        found += [
            {"type": "fixed_cut", **codec},
            {"type": "server_only"},
            {"type": "thresholds", "threshold": threshold, **codec},
            {"type": "anytime", **codec},
            {"type": "exits_then_image", "exits": draw(pick([0], [0, 1], [2]))},
            {"type": "exits_then_image", "score": "margin", "threshold": threshold},
            {"type": "neurosurgeon"},
            {"type": "random"},
            {"type": "little_policies:Hedge"},
            {"type": "little_policies:HedgeThenCancel"},
            {"type": "little_policies:SendWaitAnswer"},
            {"type": "little_policies:BlockByBlock"},
            {"type": "little_policies:GiveEveryOtherUp"},
        ]
        if exact:
            found += [{"type": "link_oracle"}, {"type": "clairvoyant"}]
        if tiers:
            both = {"type": "tiers", "cuts": draw(pick([1, 2], [0, 1], [0, 2])), "servers": list(SERVERS)}
            found += 3 * [both, {**both, "threshold": threshold}]
    return draw(pick(*found))


PLAIN = ("workers", "batch", "after_deadline", "result_bytes")
"""What a server may have beside a speed in a world in which things can be booked ahead."""


def plainer_device(device: Data) -> Data:
    steady = {key: value for key, value in device.items() if key not in ("fallback", "battery")}
    return {**steady, "processor": {"factor": device["processor"]["factor"]}}


def plainer_server(server: Data) -> Data:
    return {"processor": {"factor": server["processor"]["factor"]}, **{key: server[key] for key in PLAIN}}


FLICKERING = {
    "gap_ms": {"distribution": "exponential", "mean_ms": 120},
    "length_ms": {"distribution": "exponential", "mean_ms": 30},
}


@st.composite
def worlds(draw: Draw, dying: bool = False) -> Data:
    """A scenario as plain values, with two policies, of which the first may do anything and the second is simple.

    dying: one in which devices that send, and a server, go away again and again.  Of the others a third is plain, such
    as are booked ahead.
    """
    classes = list(CLASSES[: draw(st.integers(1, 3))])
    names = ["l"] if dying else draw(pick(["l"], ["l"], ["l", "m"], ["l", None]))
    links_of = {each: draw(pick(*names)) for each in classes}
    used = {name: [each for each in classes if links_of[each] == name] for name in names if name}
    used = {name: users for name, users in used.items() if users}
    plain = not dying and draw(pick(False, False, True))
    sends, known = None not in links_of.values(), draw(pick("exact", "none", None))
    tiers = draw(st.booleans()) if used and not plain else False
    duration_s = draw(pick(1.0, 0.4, 2.0))
    named_links = {name: draw(links(users)) for name, users in used.items()}
    if tiers:
        named_links["fibre"] = draw(fibres())
    exact = {"edge": known == "exact" and not tiers, "cloud": known == "exact"}  # who plans depths does not send on
    device_data = {each: draw(devices(links_of[each], known)) for each in classes}
    server_data = {name: draw(servers(exact[name])) for name in SERVERS} if used else {}
    if plain:
        device_data = {each: plainer_device(device) for each, device in device_data.items()}
        server_data = {each: plainer_server(server) for each, server in server_data.items()}
    replicas = [f"{name}-0" for name, server in server_data.items() if server.get("count", 1) > 1]
    befalls = events(classes, list(named_links), [*server_data, *replicas])
    happening = [draw(befalls) for _ in range(0 if plain else draw(pick(0, 1, 2, 3)))]
    if dying:
        happening += [{"what": "down", "node": node, **FLICKERING} for node in (classes[0], draw(pick(*SERVERS)))]
    return {
        "name": "random",
        "seed": draw(st.integers(0, 10_000)),
        "duration_s": duration_s,
        "warmup_s": draw(pick(0.0, 0.25)) * duration_s,
        "drain_s": draw(pick(0.05, 0.5, 5.0, 0.0)),
        "replications": 1,
        "data": {"source": "none"},
        "models": {
            "toy": {
                "source": "synthetic",
                "samples": 40,
                "blocks_ms": [draw(durations_ms(8)), draw(pick(5.0, 0.0)), draw(durations_ms(4))],
                "branch_ms": draw(pick(0.0, 1.0)),
                "exits": list(range(1, EXITS + 1)),
                "state_bytes": [draw(pick(2000, 2000, 30_000)), 1500, 500],
                "accuracy": [0.5, 0.7, 0.9],
            }
        },
        "devices": device_data,
        "links": named_links,
        "servers": server_data,
        "connections": {"back": {"between": list(SERVERS), "link": "fibre"}} if tiers else {},
        "policies": {"p": draw(policies(sends, known == "exact", tiers, not dying)), "q": {"type": "device_only"}},
        "events": {f"event{number}": each for number, each in enumerate(happening)},
    }
