//! How API v1 writes things, in webhooks and in REST objects alike: one place for each rule of reading.

pub(in crate::v1) mod attachment;
pub(in crate::v1) mod document;
pub(in crate::v1) mod json;
pub(in crate::v1) mod lenient;
pub(in crate::v1) mod message;
pub(in crate::v1) mod person;
pub(in crate::v1) mod repair;
pub(in crate::v1) mod time;
