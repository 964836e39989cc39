//! A simulator that runs in this process, and what tests do with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::books::{Accepted, Which};
use crate::config::{ConfigError, SimulatorConfig};
use crate::engine::{Behaviour, Condition, Engine, NewMessage, Settled};
use crate::mishap::{FaultRule, Plan, Route};
use crate::simulator::{Report, Simulator};
use crate::world::{AccountStatus, ChatKey, Model};

/// Watches a simulator that runs and meddles with it, as the control endpoint does.
#[derive(Debug, Clone)]
pub struct Remote(Arc<Engine>);

impl Remote {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self(engine)
    }

    /// What has to be in `X-API-KEY`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0.api.key
    }

    /// The truth as it is now.
    #[must_use]
    pub fn model(&self) -> Model {
        self.0.world.lock().model()
    }

    /// Puts a fault into force.
    pub fn add_fault(&self, rule: FaultRule) {
        self.0.rules.add(rule);
    }

    /// Takes all faults out of force.
    pub fn clear_faults(&self) {
        self.0.rules.clear();
    }

    /// What follows from calls at the moment.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.0.behaviour()
    }

    /// Changes what follows from calls from here on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.0.behave(behaviour);
    }

    /// The requests that were accepted.
    #[must_use]
    pub fn accepted(&self, which: &Which) -> Vec<Accepted> {
        self.0.books.matching(which)
    }

    /// Waits until a condition holds, for at most so long.
    pub async fn until(&self, condition: &Condition, limit: Duration) -> Settled {
        self.0.until(condition, limit).await
    }

    /// The owner writes on the phone. Returns the message's id, unless there is no such chat.
    #[must_use]
    pub fn write_on_phone(&self, chat: &str, text: &str) -> Option<String> {
        let message = NewMessage { text: Some(text.to_owned()), ..NewMessage::default() };
        let sent = self.0.send(self.chat(chat)?, &message, Route::Phone, &Plan::default())?;
        Some(sent.message_id.to_string())
    }

    /// A contact writes. Returns the message's id, unless there is no such chat.
    #[must_use]
    pub fn contact_writes(&self, chat: &str, text: &str) -> Option<String> {
        self.0.contact_writes(self.chat(chat)?, None, text.to_owned())
    }

    /// Gives an account a state, which it keeps until another one is given. False when there is no
    /// such account.
    #[must_use]
    pub fn set_status(&self, account: &str, status: AccountStatus) -> bool {
        let key = self.0.world.lock().find_account(account);
        if let Some(key) = key {
            self.0.set_status(key, status);
        }
        key.is_some()
    }

    fn chat(&self, id: &str) -> Option<ChatKey> {
        self.0.world.lock().find_chat(id)
    }
}

/// A simulator with its API on a free port of this machine.
#[derive(Debug)]
pub struct Running {
    /// The base URL, without a slash at its end: what `UNIPILE_DSN` has to be.
    pub url: String,
    /// The way to it without HTTP.
    pub remote: Remote,
    stop: CancellationToken,
    task: JoinHandle<Report>,
}

/// Why a simulator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no port.
    #[error("cannot listen on a port of this machine")]
    Listen(#[from] std::io::Error),
}

impl Running {
    /// Starts a simulator in a task of its own. The configuration gets an API, if it has none.
    ///
    /// # Errors
    ///
    /// [`StartError`] says what is wrong with the configuration, or that there is no port.
    pub async fn start(mut config: SimulatorConfig) -> Result<Self, StartError> {
        config.api.get_or_insert_default();
        let simulator = Simulator::new(config)?;
        let remote = simulator.remote();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let task = tokio::spawn(simulator.serve(listener, stop.clone().cancelled_owned()));
        Ok(Self { url, remote, stop, task })
    }

    /// Stops it. `None` when it had already ended badly.
    pub async fn stop(self) -> Option<Report> {
        self.stop.cancel();
        self.task.await.ok()
    }
}
