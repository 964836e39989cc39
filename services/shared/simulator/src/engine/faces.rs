use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Which of their pictures people and groups show, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Faces(Mutex<HashMap<String, u32>>);

impl Faces {
    /// Whoever has this id shows the picture with this number from now on.
    pub(crate) fn show(&self, id: String, number: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, number);
    }

    /// The number of the picture that is shown.
    pub(crate) fn shown(&self, id: &str) -> u32 {
        let faces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faces.get(id).copied().unwrap_or_default()
    }
}
