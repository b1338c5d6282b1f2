"""Controls for tests: faults, the clock, the call log, rate limits."""
