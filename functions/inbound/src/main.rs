//! Wiring: subscriber, configuration, clients, `run`.

fn main() {}
