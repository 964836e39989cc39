use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The bytes of files that were sent, newest last.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    files: VecDeque<(Arc<str>, Bytes)>,
    bytes: usize,
}

impl Uploads {
    /// Keeps a file, and lets the oldest ones go beyond `most` bytes.
    pub(crate) fn keep(&self, id: Arc<str>, bytes: Bytes, most: usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += bytes.len();
        kept.files.push_back((id, bytes));
        while kept.bytes > most
            && let Some((_, bytes)) = kept.files.pop_front()
        {
            kept.bytes -= bytes.len();
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.files.iter().find(|(known, _)| **known == *id).map(|(_, bytes)| bytes.clone())
    }
}
