//! Scenarios over the real program: a process, real databases, real sockets, a real browser.

mod accounts;
mod browser;
mod crash;
mod database;
mod demo;
mod fixtures;
mod history;
mod live;
mod media;
mod people;
mod pictures;
mod receive;
mod reflection;
mod roles;
mod send;
mod subscriptions;
mod world;
