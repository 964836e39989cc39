//! `grpc.health.v1.Health`, as its specification has it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use futures::stream::unfold;
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health as Protocol, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::fault::{Kind, refusal};

/// The health of each service. Clones share it. The empty name is all of them together.
#[derive(Debug, Clone)]
pub struct Health(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<String, bool>,
    suspended: bool,
    ended: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Health {
    /// Says whether a service serves, adding it when it is new.
    pub fn set(&self, service: &str, serves: bool) {
        self.0.send_if_modified(|state| {
            state.services.insert(service.to_owned(), serves) != Some(serves)
        });
    }

    /// Says that nothing serves for now, whatever is said of each, or that it does again.
    pub fn suspend(&self, suspended: bool) {
        self.0.send_if_modified(|state| {
            std::mem::replace(&mut state.suspended, suspended) != suspended
        });
    }

    /// Says that nothing serves any longer, and ends the open watches after they were told.
    pub fn end(&self) {
        self.0.send_modify(|state| state.ended = true);
    }

    /// The service to add to a server.
    #[must_use]
    pub fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService(self.clone()))
    }
}

impl State {
    fn of(&self, service: &str) -> ServingStatus {
        let serves = match service {
            "" => Some(self.services.values().all(|serves| *serves)),
            name => self.services.get(name).copied(),
        };
        match serves {
            None => ServingStatus::ServiceUnknown,
            Some(true) if !(self.suspended || self.ended) => ServingStatus::Serving,
            Some(_) => ServingStatus::NotServing,
        }
    }
}

/// Answers health checks from a [`Health`].
#[derive(Debug, Clone)]
pub struct HealthService(Health);

#[tonic::async_trait]
impl Protocol for HealthService {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.0.0.borrow().of(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => {
                Err(refusal(Kind::NotFound, "SERVICE_UNKNOWN", "no such service"))
            }
            status => Ok(Response::new(answer(status))),
        }
    }

    /// An unknown service is watched too: it may come.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let watching = Watching {
            service: request.into_inner().service,
            changes: self.0.0.subscribe(),
            told: None,
            ended: false,
        };
        let told = unfold(watching, async |mut watching| {
            let status = watching.next().await?;
            Some((Ok(answer(status)), watching))
        });
        Ok(Response::new(Box::pin(told)))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

struct Watching {
    service: String,
    changes: watch::Receiver<State>,
    told: Option<ServingStatus>,
    ended: bool,
}

impl Watching {
    /// The next status that differs from the one told last.
    async fn next(&mut self) -> Option<ServingStatus> {
        loop {
            if self.ended {
                return None;
            }
            let status = {
                let state = self.changes.borrow_and_update();
                self.ended = state.ended;
                state.of(&self.service)
            };
            if self.told != Some(status) {
                self.told = Some(status);
                return Some(status);
            }
            if !self.ended {
                self.changes.changed().await.ok()?;
            }
        }
    }
}
