//! Everything that is configuration, from the environment.
