//! The contract `channel.ingest.v1`. Translates, and decides nothing but who may call.

mod page_token;
mod reply;
mod request;

use std::sync::Arc;

use channel_proto::ingest::v1 as pb;
use channel_proto::ingest::v1::ingest_service_server::{IngestService, IngestServiceServer};
use channel_runtime::fault::{FieldErrors, to_status};
use channel_runtime::identity::{Role, identity_of, require_role};
use channel_runtime::supervise::spawn_owned;
use channel_store::intake::{InboxFilter, InboxOrder, Outcome};
use tonic::{Request, Response, Status};

use crate::core::Core;
use crate::error::{Refusal, StoreFault};
use crate::quarantine::ReplayError;
use request::Delivered;

/// Room for headers beside a body.
const HEADERS_BYTES: usize = 256 * 1024;
const MOST_NAMES: usize = 20;

/// Serves an ingest over gRPC.
#[derive(Clone)]
pub struct IngestOverGrpc(Arc<Core>);

impl std::fmt::Debug for IngestOverGrpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IngestOverGrpc")
    }
}

pub(crate) fn service(core: &Arc<Core>) -> IngestServiceServer<IngestOverGrpc> {
    let limit = core.admission.body_limit + HEADERS_BYTES;
    IngestServiceServer::new(IngestOverGrpc(Arc::clone(core))).max_decoding_message_size(limit)
}

fn only<T>(role: Role, request: &Request<T>) -> Result<(), Status> {
    require_role(&identity_of(request)?, role)
}

#[tonic::async_trait]
impl IngestService for IngestOverGrpc {
    async fn deliver_webhook(
        &self,
        request: Request<pb::DeliverWebhookRequest>,
    ) -> Result<Response<pb::DeliverWebhookResponse>, Status> {
        only(Role::Service, &request)?;
        let taken = self.take(request.into_inner()).await?;
        let verdict = taken.map_err(|refusal| {
            self.0.admission.counters.refused(&refusal);
            refused(&refusal)
        })?;
        Ok(Response::new(reply::delivered(&verdict)))
    }

    async fn list_quarantined(
        &self,
        request: Request<pb::ListQuarantinedRequest>,
    ) -> Result<Response<pb::ListQuarantinedResponse>, Status> {
        only(Role::Operator, &request)?;
        let (list, binding) = request::list(request.into_inner())?;
        let core = Arc::clone(&self.0);
        // A caller that goes away does not leave a connection of the store in the middle of an answer.
        let page = spawn_owned(async move { list.run(&*core.store).await }).await;
        let page = page.map_err(|interrupted| to_status(&interrupted))?.map_err(store_away)?;
        Ok(Response::new(reply::listed(page, &binding)))
    }

    async fn replay(
        &self,
        request: Request<pb::ReplayRequest>,
    ) -> Result<Response<pb::ReplayResponse>, Status> {
        only(Role::Operator, &request)?;
        let (replay, binding) = request::replay(request.into_inner())?;
        let core = Arc::clone(&self.0);
        // A caller that goes away does not leave an entry half replayed.
        let replayed = spawn_owned(async move { replay.run(&core.worker).await }).await;
        let replayed = replayed.map_err(|interrupted| to_status(&interrupted))?;
        let replayed = replayed.map_err(|error| match error {
            ReplayError::Store(problem) => store_away(problem),
            ReplayError::Missing(ids) => reply::missing(&ids),
        })?;
        Ok(Response::new(reply::replayed(&replayed, &binding)))
    }

    async fn get_ingest_status(
        &self,
        request: Request<pb::GetIngestStatusRequest>,
    ) -> Result<Response<pb::GetIngestStatusResponse>, Status> {
        only(Role::Operator, &request)?;
        let store = &self.0.store;
        let counts = store.inbox_counts().await.map_err(store_away)?;
        let oldest = InboxFilter {
            outcomes: vec![Outcome::Pending],
            order: InboxOrder::Oldest,
            limit: 1,
            ..InboxFilter::default()
        };
        let oldest = store.inbox(&oldest).await.map_err(store_away)?;
        let oldest = oldest.first().and_then(|listed| Some(listed.as_ref().ok()?.stamp.at));
        let counters = &self.0.admission.counters;
        let names = counters.unknown_events(MOST_NAMES);
        Ok(Response::new(reply::status(counters, counts, oldest, names)))
    }
}

impl IngestOverGrpc {
    /// A forwarded HTTP request must carry the webhook's secret like any other; without headers, the
    /// caller's own token vouches for the webhook.
    async fn take(
        &self,
        request: pb::DeliverWebhookRequest,
    ) -> Result<Result<channel_store::intake::Verdict, Refusal>, Status> {
        let admission = &self.0.admission;
        let delivered = Delivered::read(request, admission.body_limit).inspect_err(|errors| {
            if channel_runtime::fault::Fault::reason(errors) == request::TOO_LARGE {
                let limit_bytes = admission.body_limit;
                admission.counters.refused(&Refusal::TooLarge { limit_bytes });
            }
        })?;
        let Delivered { body, headers, path_token } = delivered;
        if !headers.is_empty() || path_token.is_some() {
            let secrets = headers.get_all(&self.0.secret_header);
            let secrets = secrets.iter().map(http::HeaderValue::as_bytes);
            let checked = admission.credentials.check(secrets, path_token.as_deref());
            if let Err(refusal) = checked {
                return Ok(Err(refusal));
            }
        }
        let entry = match admission.enter() {
            Ok(entry) => entry,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let kept = crate::shim::worth_keeping(&headers);
        Ok(admission.accept(&entry, body, kept).await)
    }
}

fn refused(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::TooLarge { .. } => {
            let mut errors = FieldErrors::with_reason(request::TOO_LARGE);
            errors.add("body", refusal.to_string());
            errors.into()
        }
        other => to_status(other),
    }
}

fn store_away(problem: channel_store::StoreError) -> Status {
    to_status(&StoreFault(problem))
}
