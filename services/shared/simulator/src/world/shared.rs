use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::World;

/// A world that traffic and API change in turns.
#[derive(Debug, Clone)]
pub(crate) struct SharedWorld(Arc<Mutex<World>>);

impl SharedWorld {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world to oneself. Every change is complete in itself, so a panic elsewhere leaves
    /// nothing half done.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
