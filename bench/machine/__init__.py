"""The machine a run is on: processes, threads, memory, operations, provenance."""
