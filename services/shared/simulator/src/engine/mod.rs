//! The running UniPile behind the API: what follows from what is done, and when.

mod acts;
mod agenda;
mod answer;
mod behaviour;
mod clock;
mod connect;
mod contact;
mod deliver;
mod faces;
mod hosted;
mod perform;
mod pulse;
mod sending;
mod subscription;
mod targets;
mod uploads;
mod wait;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::api::ApiConfig;
use crate::books::Books;
use crate::config::{ConfigError, SimulatorConfig};
use crate::event::Event;
use crate::mishap::Rules;
use crate::world::SharedWorld;
use agenda::Agenda;
use clock::Clock;
use connect::Attempts;
use faces::Faces;
use hosted::Links;
use pulse::Pulse;

pub(crate) use acts::{Patch, Undoable};
pub use behaviour::{Behaviour, Missed, ReactionPath, Span};
pub(crate) use connect::{How, Notify};
pub(crate) use contact::ContactFile;
pub(crate) use hosted::Link;
pub(crate) use sending::{File, NewMessage};
pub(crate) use subscription::{Header, Source, Subscription};
pub(crate) use targets::Targets;
pub(crate) use uploads::Uploads;
pub use wait::{AccountIn, AtLeast, Condition, MessageAt, Settled};

/// Everything that the API and the control endpoint work on.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) world: SharedWorld,
    pub(crate) targets: Targets,
    pub(crate) books: Books,
    pub(crate) rules: Rules,
    pub(crate) uploads: Uploads,
    pub(crate) faces: Faces,
    pub(crate) links: Links,
    pub(crate) clock: Clock,
    pub(crate) config: SimulatorConfig,
    pub(crate) api: ApiConfig,
    attempts: Attempts,
    agenda: Agenda,
    pulse: Pulse,
    behaviour: RwLock<Behaviour>,
    held: Mutex<HashMap<Arc<str>, Vec<Event>>>,
    sent: AtomicU64,
    callbacks: tokio_util::task::TaskTracker,
}

impl Engine {
    pub(crate) fn new(
        config: &SimulatorConfig,
        start: Option<jiff::Timestamp>,
        world: SharedWorld,
    ) -> Result<Self, ConfigError> {
        let api = config.api.clone().unwrap_or_default();
        if config.api.is_some() {
            world.lock().keep_index();
        }
        Ok(Self {
            world,
            targets: Targets::new(&config.delivery)?,
            books: Books::default(),
            rules: Rules::new(config.seed, &api.faults),
            uploads: Uploads::default(),
            faces: Faces::default(),
            links: Links::default(),
            clock: Clock::new(start),
            attempts: Attempts::default(),
            agenda: Agenda::default(),
            pulse: Pulse::new(),
            behaviour: RwLock::new(api.behaviour.clone()),
            held: Mutex::default(),
            sent: AtomicU64::new(0),
            callbacks: tokio_util::task::TaskTracker::new(),
            config: config.clone(),
            api,
        })
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        self.behaviour.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Tells those who wait that something may have changed.
    pub(crate) fn beat(&self) {
        self.pulse.beat();
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Arc<str>, Vec<Event>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
