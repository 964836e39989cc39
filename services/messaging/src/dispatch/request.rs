//! One request to UniPile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use channel_domain::Micros;
use channel_domain::fact::{Attachment, AttachmentKind};
use channel_domain::send::{Request, Verdict};
use channel_store::StoreError;
use channel_store::outbox::{Begun, Command, Done, Due};
use channel_unipile::upstream::{
    Failure, Outgoing, SendMessage, Sent, StartChat, Started, UpstreamError,
};
use tracing::Instrument as _;

use super::Shared;
use super::verdict::{Ended, judge};
use crate::uploads;

/// How often the end of a request is written before its lease has to tell.
const TRIES: u32 = 5;

impl Shared {
    /// Sends a message whose turn it is. Returns until when the account has to wait, if it has.
    pub(super) async fn send(&self, due: &Due) -> Result<Option<Micros>, StoreError> {
        match self.command(&due.account, Command::Begin(due.message)).await? {
            Done::Begun(begun) => {
                let span = tracing::info_span!("messaging.send", attempt = begun.job.attempts);
                self.request(due, &begun).instrument(span).await.map(|()| None)
            }
            Done::NotBefore(at) => Ok(Some(at)),
            _ => Ok(None),
        }
    }

    async fn request(&self, due: &Due, begun: &Begun) -> Result<(), StoreError> {
        let since = Instant::now();
        let attempt = begun.job.attempts;
        let ended = self.renewing(due, attempt, self.call(due, begun)).await;
        let outcome = ended.outcome();
        metrics::counter!("channel_messaging_requests_total", "outcome" => outcome).increment(1);
        metrics::histogram!("channel_messaging_request_seconds", "outcome" => outcome)
            .record(since.elapsed().as_secs_f64());
        tracing::debug!(outcome, "a request ended");
        self.finish(due, attempt, ended).await
    }

    /// Renews the lease while a call is under way.
    async fn renewing(&self, due: &Due, attempt: u32, call: impl Future<Output = Ended>) -> Ended {
        tokio::pin!(call);
        let every = self.rules.limits.lease / 3;
        loop {
            match tokio::time::timeout(every, &mut call).await {
                Ok(ended) => return ended,
                Err(_) => {
                    if let Err(error) =
                        self.command(&due.account, Command::Renew(due.message, attempt)).await
                    {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "a lease could not be renewed");
                    }
                }
            }
        }
    }

    async fn call(&self, due: &Due, begun: &Begun) -> Ended {
        judge(self.ask_upstream(due, begun).await)
    }

    async fn ask_upstream(&self, due: &Due, begun: &Begun) -> Result<Started, UpstreamError> {
        let in_chat = |Sent { message }| Started { chat: None, message };
        let (account, about) = (&due.account, begun.about.clone());
        match &begun.job.request {
            Request::Message { text, files, typing_ms, .. } => {
                let content = self.content(begun, text.clone(), files)?;
                let send = SendMessage {
                    chat: begun.job.chat.clone(),
                    content,
                    quote: about,
                    typing: typing_ms.map(|ms| Duration::from_millis(ms.into())),
                };
                self.upstream.send(account, &send).await.map(in_chat)
            }
            Request::Forward { .. } => {
                let message = about.unwrap_or_else(|| "".into());
                self.upstream.forward(account, &message, &begun.job.chat).await.map(in_chat)
            }
            Request::Start { people, subject, text, files } => {
                let (people, subject) = (people.clone(), subject.clone());
                let content = self.content(begun, text.clone(), files)?;
                self.upstream.start_chat(account, &StartChat { people, subject, content }).await
            }
        }
    }

    fn content(
        &self,
        begun: &Begun,
        text: Option<String>,
        files: &[Attachment],
    ) -> Result<Outgoing, UpstreamError> {
        let mut content = Outgoing { text, ..Outgoing::default() };
        for file in files {
            let store = Arc::clone(&self.store);
            let ready = uploads::outgoing(store, begun.account_key, file);
            let lost = Failure::Invalid("a file of the message is not there");
            let ready =
                ready.ok_or(UpstreamError { route: "POST /chats/{id}/messages", failure: lost })?;
            if file.kind == AttachmentKind::Voice {
                content.voice = Some(ready);
            } else {
                content.files.push(ready);
            }
        }
        Ok(content)
    }

    /// Writes how a request ended. If the database is away for longer, the lease ends and the message is
    /// uncertain, which is the truth for everybody else.
    async fn finish(&self, due: &Due, attempt: u32, ended: Ended) -> Result<(), StoreError> {
        let Ended { verdict, slow_down } = ended;
        let is_sent = matches!(verdict, Verdict::Accepted { .. });
        let mut tried = 0;
        loop {
            let (message, verdict) = (due.message, verdict.clone());
            let jitter = rand::random();
            let finish = Command::Finish { message, attempt, verdict, slow_down, jitter };
            match self.command(&due.account, finish).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_temporary() && tried < TRIES => {
                    tracing::warn!(is_sent, "the end of a request could not be written yet");
                    tokio::time::sleep(Duration::from_millis(200 << tried)).await;
                    tried += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
