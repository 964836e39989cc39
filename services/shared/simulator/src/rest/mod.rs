//! Objects as UniPile's REST API v1 writes them. Field order is that of the schema.

mod account;
mod attachment;
mod attendee;
mod chat;
mod message;
mod webhook;

use serde::Serialize;

pub(crate) use account::AccountView;
pub(crate) use attendee::AttendeeView;
pub(crate) use chat::ChatView;
pub(crate) use message::MessageView;
pub(crate) use webhook::WebhookView;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub(crate) object: &'static str,
    pub(crate) items: Vec<T>,
    pub(crate) cursor: Option<String>,
}
