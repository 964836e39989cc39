//! Which part of a file is answered.

use std::ops::Range;

use channel_runtime::fault::reason_of;
use tonic::Status;

use super::{
    conditions::{Conditions, Part},
    source::{Opened, Source},
};

/// What is answered.
pub(super) enum Selected {
    /// The whole file.
    Whole(Opened),
    /// What the file is.
    Head(Opened),
    /// The bytes that follow are a part.
    Part(Opened),
    /// The copy at hand is right.
    NotModified(Opened),
    /// There is no such part.
    NoSuchPart(Opened),
}

const WHOLE: Range<u64> = 0..u64::MAX;
/// As little as can be asked for, to learn what a file is.
const GLIMPSE: Range<u64> = 0..1;

/// Opens the file, mostly once; again where only its size tells what is wanted, or it is another one than was thought.
pub(super) async fn select(source: &Source, wanted: &Conditions) -> Result<Selected, Status> {
    let tag = wanted.at_hand.one();
    let first = match wanted.part {
        _ if wanted.head => GLIMPSE,
        None => WHOLE,
        Some(part) => part.without_size().unwrap_or(GLIMPSE),
    };
    let opened = match source.open(first, tag).await {
        Err(status) if reason_of(&status).as_deref() == Some("RANGE_INVALID") => {
            source.open(GLIMPSE, tag).await?
        }
        opened => opened?,
    };
    if wanted.at_hand.have(&opened.header.etag) {
        return Ok(Selected::NotModified(opened));
    }
    let part = wanted.part.filter(|_| wanted.is_of(&opened.header.etag));
    match part {
        _ if wanted.head => Ok(Selected::Head(opened)),
        None if wanted.part.is_none() => Ok(Selected::Whole(opened)),
        None => source.open(WHOLE, "").await.map(Selected::Whole),
        Some(part) => match part.within(opened.header.total_bytes) {
            None => Ok(Selected::NoSuchPart(opened)),
            Some(range) if opened.range() == range => Ok(Selected::Part(opened)),
            Some(range) => source.open(range, "").await.map(Selected::Part),
        },
    }
}

impl Part {
    /// Which bytes are wanted, if that can be told without the file's size.
    fn without_size(self) -> Option<Range<u64>> {
        match self {
            Self::From(..) => self.within(u64::MAX),
            Self::Last(_) => None,
        }
    }
}
