//! A UniPile that runs in a process: webhooks, HTTP API, and faults on demand.
//!
//! A seeded [`Script`] lets people in an invented world write, react, edit and read; every change
//! becomes the body that UniPile v1 would send. A [`Faulty`] wire copies, reorders, delays, drops
//! and poisons. The deliverer POSTs what comes out as UniPile does, repeats what is not answered
//! with a literal 200, and keeps a [`Ledger`] of it. The [`Model`] is the truth behind it all.
//!
//! [`bodies`] is for those who need the bodies only, [`run`] and [`Simulator`] send them.
//!
//! With an [`ApiConfig`] the same world is served as UniPile's HTTP API v1: what is sent over it is in
//! the lists, comes back as a webhook, is delivered, read and perhaps answered. Calls go wrong as
//! [`FaultRule`]s say, and [`Accepted`] tells what was accepted whatever the caller was told. Tests use
//! [`Running`]; other programs use the control endpoint under `/simulator`.
//!
//! | module | what it knows |
//! |---|---|
//! | `world` | accounts, people, chats, messages: the truth |
//! | `traffic` | what happens next |
//! | `webhook` | how UniPile tells of it |
//! | `faults` | what goes wrong on the way |
//! | `deliver` | HTTP, attempts, the ledger |
//! | `engine` | what follows from what is done over the API, and when |
//! | `rest` | objects as the API writes them |
//! | `api` | the routes of UniPile's API v1 |
//! | `mishap` | what goes wrong with calls |
//! | `books` | what was accepted |
//! | `control` | the endpoint for whoever runs a test |

mod api;
mod books;
mod config;
mod control;
mod deliver;
mod dialogue;
mod dice;
mod engine;
mod event;
mod faults;
mod ids;
mod mishap;
mod remote;
mod rest;
mod simulator;
mod traffic;
mod webhook;
mod world;

pub use api::ApiConfig;
pub use books::{Accepted, Calls, Which};
pub use config::{ConfigError, SimulatorConfig};
pub use deliver::{Counts, DeliveryConfig, Entry, Ledger, Outcome};
pub use engine::{
    AccountIn, AtLeast, Behaviour, Condition, MessageAt, Missed, ReactionPath, Settled, Span,
};
pub use event::{Event, Kind};
pub use faults::{Fault, FaultRecord, Faults, Faulty, Poison};
pub use mishap::{ApiFault, FaultRule, Route, RuleState};
pub use remote::{Remote, Running, StartError};
pub use simulator::{Report, Simulator, bodies, run};
pub use traffic::{Mix, Script};
pub use world::{AccountModel, AccountStatus, ChatModel, MessageModel, Model, Receipt};
