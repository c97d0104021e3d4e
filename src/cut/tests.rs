//! A cut says what the trace said.
