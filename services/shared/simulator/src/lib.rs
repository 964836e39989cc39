//! A UniPile that runs in a process: webhooks, and faults on demand.
//!
//! A seeded [`Script`] lets people in an invented world write, react, edit and read; every change
//! becomes the body that UniPile v1 would send. A [`Faulty`] wire copies, reorders, delays, drops
//! and poisons. The deliverer POSTs what comes out as UniPile does, repeats what is not answered
//! with a literal 200, and keeps a [`Ledger`] of it. The [`Model`] is the truth behind it all.
//!
//! [`bodies`] is for those who need the bodies only, [`run`] and [`Simulator`] send them.
//!
//! | module | what it knows |
//! |---|---|
//! | `world` | accounts, people, chats, messages: the truth |
//! | `traffic` | what happens next |
//! | `webhook` | how UniPile tells of it |
//! | `faults` | what goes wrong on the way |
//! | `deliver` | HTTP, attempts, the ledger |

mod config;
mod deliver;
mod dialogue;
mod dice;
mod event;
mod faults;
mod ids;
mod simulator;
mod traffic;
mod webhook;
mod world;

pub use config::{ConfigError, SimulatorConfig};
pub use deliver::{Counts, DeliveryConfig, Entry, Ledger, Outcome};
pub use event::{Event, Kind};
pub use faults::{Fault, FaultRecord, Faults, Faulty, Poison};
pub use simulator::{Report, Simulator, bodies, run};
pub use traffic::{Mix, Script};
pub use world::{AccountModel, AccountStatus, ChatModel, MessageModel, Model, Receipt};
