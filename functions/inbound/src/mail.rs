//! The mail itself: header, forwards, reports. Bytes in, bytes out; no I/O.
