//! Webhook bodies of API v1, read tolerantly.
//!
//! UniPile's documents lag behind the wire, and the wire varies, so almost nothing is required:
//!
//! | event | required |
//! |---|---|
//! | a message was received | `event`, `account_id`, `message_id`, `chat_id` |
//! | any other message event | `event`, `account_id`, `message_id` |
//! | account status | `AccountStatus` with `account_id` and `message`, or the same flat |
//!
//! Everything else may be missing, `null`, of another type or out of range: it then counts as missing.
//! Unknown keys are ignored; of a repeated key the last one counts. What is taken over is free of NUL,
//! which PostgreSQL's text cannot hold: ids that carry one are refused, other strings lose it.

mod event;
mod message;
mod outcome;
mod parser;
mod required;
mod status;

pub use outcome::{IgnoreReason, Parsed, RejectReason, Rejection};
pub use parser::{PARSER_VERSION, parse};
use required::required_id;
