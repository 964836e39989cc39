//! The address that UniPile reports to after somebody used its sign-in page.
//!
//! It carries no secret but the token in its path, so a report is taken for what the token allows: once, for the link
//! that it belongs to. Messaging asks UniPile before anything is believed. Neither token nor body is ever logged.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channel_domain::Micros;
use channel_domain::fact::UpstreamStatus;
use channel_runtime::supervise::spawn_owned;
use channel_store::StoreError;
use channel_store::hosted::{HostedLinks, TokenHash, Used};
use channel_unipile::v1::hosted::{Notice, notice};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout_at;

use super::{Token, answer, body, token_of};
use crate::admission::{Admission, Entry};
use crate::error::Refusal;

const PATHS: [&str; 2] =
    ["/api/v1/webhooks/unipile/hosted/{token}", "/api/v1/webhooks/unipile/hosted/{token}/"];
/// A report has three short fields.
const MOST_BYTES: usize = 4_096;
/// Most bytes of an account's id: far more than any that UniPile makes.
const MOST_ID: usize = 256;

#[derive(Clone)]
struct Door {
    admission: Arc<Admission>,
    links: Arc<dyn HostedLinks>,
}

pub(crate) fn router(admission: Arc<Admission>, links: Arc<dyn HostedLinks>) -> Router {
    let take = async |State(door): State<Door>, token: Token, request: Request| {
        door.serve(&token_of(token), request).await
    };
    let mut router = Router::new();
    for path in PATHS {
        router = router.route(path, post(take));
    }
    router.method_not_allowed_fallback(answer::not_allowed).with_state(Door { admission, links })
}

impl Door {
    async fn serve(&self, token: &str, request: Request) -> Response {
        let noted = match self.admission.enter() {
            Ok(entry) => self.take_owned(entry, hash(token), request).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = &noted {
            self.admission.counters.refused(refusal);
        }
        answer::noted(noted)
    }

    /// A sender that hangs up once its body is here cancels nothing.
    async fn take_owned(
        &self,
        entry: Entry,
        token: TokenHash,
        request: Request,
    ) -> Result<(), Refusal> {
        let (door, retry_after) = (self.clone(), self.admission.retry_after);
        let noted = spawn_owned(async move { door.take(&entry, token, request).await }).await;
        noted.unwrap_or(Err(Refusal::NotStored { retry_after }))
    }

    async fn take(&self, entry: &Entry, token: TokenHash, request: Request) -> Result<(), Refusal> {
        let body = body::read(request.into_body(), MOST_BYTES, entry.deadline).await?;
        let retry_after = self.admission.retry_after;
        let notice = notice(&body).filter(makes_sense).ok_or(Refusal::NoticeUnreadable)?;
        let work = self.note(&notice, token, entry.received_at);
        let used = timeout_at(entry.deadline, work).await;
        match used {
            Ok(Ok(Used::Taken)) => Ok(()),
            Ok(Ok(Used::Unknown)) => Err(Refusal::LinkUnknown),
            Ok(Ok(Used::OtherAccount)) => Err(Refusal::NoticeUnreadable),
            Ok(Err(_)) | Err(_) => Err(Refusal::StoreAway { retry_after }),
        }
    }

    /// A failure uses nothing up: the page lets people try again.
    async fn note(
        &self,
        notice: &Notice,
        token: TokenHash,
        now: Micros,
    ) -> Result<Used, StoreError> {
        if notice.status == Some(UpstreamStatus::CreationFail) {
            let open = self.links.is_link_open(&token, now).await?;
            return Ok(if open { Used::Taken } else { Used::Unknown });
        }
        self.links.use_link(&token, &notice.account, now).await
    }
}

fn makes_sense(notice: &Notice) -> bool {
    use UpstreamStatus::{CreationFail, CreationSuccess, Reconnected};
    let account = notice.account.as_str();
    matches!(notice.status, Some(CreationSuccess | Reconnected | CreationFail))
        && (1..=MOST_ID).contains(&account.len())
        && !account.chars().any(char::is_control)
}

/// What is stored of a token. It is looked up by its hash, so that the time tells nothing about it.
fn hash(token: &str) -> TokenHash {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    Sha256::digest(bytes).into()
}
