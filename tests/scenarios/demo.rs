//! The first minute of a newcomer.
