//! Carries out what was decided: the only place here that awaits AWS.
