//! The guarantees, each by its name.

mod access;
mod catch_up;
mod ending;
mod fan_out;
mod hand_off;
mod history;
mod limits;
mod poll;
mod route;
mod wakeups;
