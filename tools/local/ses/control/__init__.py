"""What only a test uses: faults, the clock, the call log and the control API."""
