"""A starter scenario, every line explained."""

from __future__ import annotations

STARTER = """\
# A scenario of edgesim: a world (devices, links, servers), the policies that are compared in it, and how long
# it is watched.  Run it with `edgesim run FILE`.  The unit of a value is the end of its key: _ms, _s, _mbps, _hz.
# `edgesim schema` writes a JSON Schema, with which an editor completes and explains every key.

name: starter               # names the results folder: letters, digits, '_' and '-'
seed: 1                     # root of all random numbers: the same seed gives the same rows
duration_s: 60              # requests arrive up to this time
warmup_s: 5                 # requests that arrive earlier do not count
drain_s: 30                 # the run goes on for at most this long after the last arrival
replications: 10            # independent repetitions, for the intervals
execution: tabled           # tabled: the network runs once beforehand; live: inside the simulation
deadlines_ms: [5, 10, 20, 50, 100, 200]      # the axis of the accuracy curve

data: {source: shipped}     # or {source: fashion-mnist, folder: PATH}, or {source: none} with a synthetic model

models:                     # listed from shallow to deep; policies use the first unless they say otherwise
  fashion: {source: zoo, name: fashion_vit, profile: shipped}
  # deit: {source: timm, name: deit_tiny_patch16_224, pretrained: true, profile: shipped}
  # A made-up model, for theory (alone in a scenario):
  # toy:
  #   source: synthetic
  #   blocks_ms: [1.0, {distribution: exponential, mean_ms: 10}]
  #   exits: [1, 2]           # blocks run before each exit
  #   state_bytes: [1000, 500]            # at cut 0 (the image), cut 1, ...
  #   accuracy: [0.7, 0.9]    # of each exit

devices:
  camera:
    count: 4                # four cameras that are alike
    processor: {factor: 4}  # four times slower than the machine that was profiled; or {preset: NAME}
    queue: {order: fifo, bound: 100}         # fifo, newest or drop_oldest; at most 100 requests wait
    after_deadline: abort   # abort: work for a request stops at its deadline; continue
    link: access
    server: edge
    arrivals: {process: poisson, rate_hz: 2} # or periodic {rate_hz, jitter_ms}, or trace {file}
    deadline: {distribution: fixed, ms: 50, known: exact}   # policies know it: exact, distribution or none
    power: {idle_w: 2.7, compute_w: 6.0, send_w: 1.0, receive_w: 0.8}      # assumed; leave it out to ignore energy

links:
  access:
    sharing: fifo           # fifo: every camera has its own uplink; cell: all share one rate
    up:                     # log-normal and autocorrelated, with outages (assumed moments)
      {process: ar1, mean_mbps: 5, cv: 0.6, correlation_1s: 0.9, outage_share: 0.02, outage_mean_s: 1}
    down: {process: constant, rate_mbps: 20} # or steps {steps: [[0, 5], [10, 1]]}, or trace {file}
    delay_ms: 5             # one-way propagation
    headers: tcp            # 66 bytes for each started 1,448 bytes of payload
    prior_mbps: 5           # what an estimator says before its first sample

servers:
  edge:
    workers: 1
    processor: {factor: 0.5}                 # twice as fast as the machine that was profiled
    batch: {max_size: 4, max_wait_ms: 1}
    result_bytes: 8

policies:                   # every policy meets the same arrivals, images and links
  device_only: {type: device_only}
  server_only: {type: server_only, codec: png}
  split: {type: fixed_cut, cut: 3, codec: int8}
  early_exit: {type: thresholds, score: confidence, threshold: 0.9}
  exit_then_image: {type: exits_then_image, exits: [0, 1], score: confidence, threshold: 0.9, codec: png}
  neurosurgeon: {type: neurosurgeon, objective: latency, codec: int8, estimator: {type: ewma, alpha: 0.3}}
  # mine: {type: "my_policy.py:MyPolicy", options: {k: 3}}      # a class of your own, in a file beside this one
"""


def starter(name: str = "starter") -> str:
    """The text of a commented scenario called ``name``, which loads as it stands (quoted, as 12 alone is a number)."""
    return STARTER.replace("name: starter ", f'name: "{name}" ', 1)
