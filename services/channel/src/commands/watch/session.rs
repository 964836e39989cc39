//! One stream, from Hello to its end.

use std::collections::HashSet;
use std::future::pending;
use std::time::Duration;

use channel_proto::query::v1 as pb;
use channel_proto::query::v1::watch_response::Frame;
use channel_runtime::fault::retry_after_of;
use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::{Status, Streaming};

use super::pace::Asks;
use super::places::Places;
use super::printer::Printer;
use crate::client::Client;

/// A server says Hello at once, whatever else it has to do.
const HELLO: Duration = Duration::from_secs(10);
/// Periods of silence after which a stream is taken for lost.
const SILENT_PERIODS: u32 = 3;
/// When a server does not say how often it speaks.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Accounts that one request may name.
const ACCOUNTS_PER_REQUEST: usize = 200;
/// The meaning of frames that this program knows.
const SCHEMA: u32 = 1;

/// How a stream ended.
#[derive(Debug)]
pub(super) enum End {
    /// The server ended it in order.
    Goodbye { reason: &'static str, retry_after: Option<Duration> },
    /// It fell silent or broke off, or something in it was missing.
    Lost,
    /// The server refused it, or is not there.
    Refused(Status),
}

impl End {
    pub(super) fn asks(&self) -> Asks {
        match self {
            Self::Goodbye { retry_after, .. } => Asks::For(retry_after.unwrap_or_default()),
            Self::Lost => Asks::Nothing,
            Self::Refused(status) => retry_after_of(status).map_or(Asks::Nothing, Asks::AtLeast),
        }
    }

    pub(super) fn into_status(self) -> Status {
        match self {
            Self::Refused(status) => status,
            Self::Goodbye { .. } | Self::Lost => Status::unavailable("the stream has ended"),
        }
    }
}

/// Why a stream is not followed any further: it ended, or printing failed.
enum Halt {
    Ended(End),
    Failed(anyhow::Error),
}

impl From<Status> for Halt {
    fn from(status: Status) -> Self {
        Self::Ended(End::Refused(status))
    }
}

impl From<anyhow::Error> for Halt {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Follows streams, one after another.
pub(super) struct Session {
    client: Client,
    /// The accounts asked for; empty means all.
    accounts: Vec<String>,
    places: Places,
    printer: Printer,
    client_id: String,
}

impl Session {
    pub(super) fn new(
        client: Client,
        accounts: Vec<String>,
        places: Places,
        printer: Printer,
    ) -> Self {
        Self {
            client,
            accounts,
            places,
            printer,
            client_id: format!("channel-watch-{}", std::process::id()),
        }
    }

    /// Tells something beside the changes.
    pub(super) fn note(&self, text: &str) {
        self.printer.note(text);
    }

    /// Opens a stream and follows it to its end.
    ///
    /// # Errors
    ///
    /// When printing or noting the place fails.
    pub(super) async fn run(&mut self) -> anyhow::Result<End> {
        let halt = match self.follow().await {
            Ok(never) => match never {},
            Err(halt) => halt,
        };
        self.places.save()?;
        match halt {
            Halt::Ended(end) => Ok(end),
            Halt::Failed(error) => Err(error),
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, Halt> {
        let deadline = Instant::now() + HELLO;
        let mut query = self.client.query();
        let request = self.request();
        let resumes = |at: &&pb::AccountCursor| !at.cursor.is_empty();
        let named =
            request.accounts.iter().filter(resumes).map(|at| at.account_id.clone()).collect();
        let opened = timeout_at(deadline, query.watch(request));
        let mut stream = opened.await.map_err(|_| Halt::Ended(End::Lost))??.into_inner();
        let hello = self.next(&mut stream, deadline).await?;
        let Frame::Hello(hello) = hello else {
            return Err(Halt::Ended(End::Lost));
        };
        let silence = heartbeat(&hello).saturating_mul(SILENT_PERIODS);
        self.greet(hello, &named);
        loop {
            let frame = self.next(&mut stream, Instant::now() + silence).await?;
            self.apply(frame).await?;
            self.places.save_if_due()?;
        }
    }

    /// Accounts go on where the printing stopped. Without a choice all are followed, new ones included; what
    /// a request has no room for goes on from now.
    fn request(&self) -> pb::WatchRequest {
        let all_accounts = self.accounts.is_empty();
        let accounts: Vec<_> = if all_accounts {
            self.places.accounts().take(ACCOUNTS_PER_REQUEST).map(|it| self.cursor(it)).collect()
        } else {
            self.accounts.iter().map(|account| self.cursor(account)).collect()
        };
        pb::WatchRequest {
            accounts,
            all_accounts,
            client_id: self.client_id.clone(),
            schema: SCHEMA,
            max_frame_bytes: 0,
        }
    }

    fn cursor(&self, account: &str) -> pb::AccountCursor {
        let place = self.places.get(account);
        pb::AccountCursor {
            account_id: account.to_owned(),
            cursor: place.map(|place| place.cursor.clone()).unwrap_or_default(),
        }
    }

    async fn next(
        &mut self,
        stream: &mut Streaming<pb::WatchResponse>,
        deadline: Instant,
    ) -> Result<Frame, Halt> {
        loop {
            let due = self.places.due();
            let save = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                message = timeout_at(deadline, stream.message()) => match message {
                    // A frame of a kind that is not known here.
                    Ok(Ok(Some(pb::WatchResponse { frame: None }))) => {}
                    Ok(Ok(Some(pb::WatchResponse { frame: Some(frame) }))) => return Ok(frame),
                    Ok(Err(status)) => return Err(status.into()),
                    Ok(Ok(None)) | Err(_) => return Err(Halt::Ended(End::Lost)),
                },
                () = save => self.places.save()?,
            }
        }
    }

    /// Takes the places of accounts that the request did not name.
    fn greet(&mut self, hello: pb::Hello, named: &HashSet<String>) {
        for at in hello.accounts {
            if !named.contains(&at.account_id) {
                self.places.jump(&at.account_id, at.cursor, at.seq);
            }
        }
    }

    async fn apply(&mut self, frame: Frame) -> Result<(), Halt> {
        match frame {
            Frame::Hello(_) => {}
            Frame::Changes(changes) => self.print(changes).await?,
            Frame::CaughtUp(_) => self.printer.caught_up(),
            Frame::Bookmark(bookmark) => {
                for at in bookmark.accounts {
                    self.places.reach(&at.account_id, at.cursor, at.seq);
                }
            }
            Frame::Reset(reset) => {
                self.printer.reset(&reset)?;
                if reset.cursor.is_empty() {
                    self.places.leave(&reset.account_id);
                } else {
                    self.places.jump(&reset.account_id, reset.cursor, reset.seq);
                }
            }
            Frame::Goodbye(goodbye) => return Err(Halt::Ended(goodbye_of(&goodbye))),
        }
        Ok(())
    }

    async fn print(&mut self, run: pb::Changes) -> Result<(), Halt> {
        let place = self.places.enter(&run.account_id, run.prev_seq);
        if run.prev_seq > place.printed {
            return Err(Halt::Ended(End::Lost));
        }
        let (printed, last) = (place.printed, run.changes.last().map(|change| change.seq));
        for change in run.changes.into_iter().filter(|change| change.seq > printed) {
            let seq = change.seq;
            self.printer.change(&run.account_id, change).await?;
            self.places.enter(&run.account_id, seq).printed = seq;
        }
        if let Some(last) = last {
            self.places.reach(&run.account_id, run.cursor, last);
        }
        Ok(())
    }
}

fn heartbeat(hello: &pb::Hello) -> Duration {
    let period = hello.heartbeat_period.and_then(|period| Duration::try_from(period).ok());
    period.filter(|period| !period.is_zero()).unwrap_or(HEARTBEAT)
}

fn goodbye_of(goodbye: &pb::Goodbye) -> End {
    let wait = goodbye.retry_after;
    End::Goodbye {
        reason: match goodbye.reason() {
            pb::GoodbyeReason::Shutdown => "it stops",
            pb::GoodbyeReason::Rotate => "time for another server",
            pb::GoodbyeReason::Slow => "the reader is too slow",
            pb::GoodbyeReason::Auth => "the token has run out",
            pb::GoodbyeReason::Unspecified => "no reason given",
        },
        retry_after: wait.and_then(|wait| Duration::try_from(wait).ok()),
    }
}

#[cfg(test)]
mod tests {
    use channel_proto::types::v1::Change;

    use super::*;
    use crate::output::{Output, Paper};

    struct Bench {
        session: Session,
        paper: Paper,
        _folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let (folder, paper) = (tempfile::tempdir().unwrap(), Paper::default());
            let places = Places::open(folder.path().join("cursor"), false).unwrap();
            let client = Client::to_nowhere();
            let printer = Printer::new(Output::plain(paper.clone()), true, client.clone());
            let session = Session::new(client, Vec::new(), places, printer);
            Self { session, paper, _folder: folder }
        }

        /// Applies the changes after `prev`, up to `last`, with a cursor unless more follows.
        async fn changes(&mut self, prev: u64, last: u64, more: bool) -> Result<(), Halt> {
            let change = |seq| Change { seq, ..Change::default() };
            let cursor = if more { String::new() } else { format!("at {last}") };
            let run = pb::Changes {
                account_id: "a".to_owned(),
                prev_seq: prev,
                changes: (prev + 1..=last).map(change).collect(),
                cursor: cursor.into(),
                more,
            };
            self.session.apply(Frame::Changes(run)).await
        }

        async fn reset(&mut self, cursor: &'static str, seq: u64) {
            let reset = pb::Reset {
                account_id: "a".to_owned(),
                cursor: cursor.into(),
                seq,
                ..pb::Reset::default()
            };
            assert!(self.session.apply(Frame::Reset(reset)).await.is_ok());
        }

        fn printed(&self) -> Vec<u64> {
            let text = self.paper.text();
            let objects =
                text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            objects.filter_map(|it| it["change"]["seq"].as_str()?.parse().ok()).collect()
        }

        fn kept(&self) -> (String, u64) {
            let place = self.session.places.get("a").unwrap();
            (String::from_utf8(place.cursor.to_vec()).unwrap(), place.seq)
        }
    }

    #[tokio::test]
    async fn no_change_is_printed_twice_however_the_frames_overlap() {
        let mut bench = Bench::new();
        for (prev, last) in [(4, 6), (4, 6), (5, 8), (2, 5), (8, 9)] {
            assert!(bench.changes(prev, last, false).await.is_ok());
        }
        assert_eq!(bench.printed(), [5, 6, 7, 8, 9]);
        assert_eq!(bench.kept(), ("at 9".to_owned(), 9));
    }

    #[tokio::test]
    async fn a_hole_in_the_numbers_ends_the_stream_before_anything_is_printed() {
        let mut bench = Bench::new();
        assert!(bench.changes(0, 2, false).await.is_ok());
        let end = bench.changes(3, 4, false).await;
        assert!(matches!(end, Err(Halt::Ended(End::Lost))));
        assert_eq!(bench.printed(), [1, 2]);
        assert_eq!(bench.kept(), ("at 2".to_owned(), 2));
    }

    #[tokio::test]
    async fn the_kept_place_never_lies_within_a_unit() {
        let mut bench = Bench::new();
        assert!(bench.changes(0, 2, false).await.is_ok());
        assert!(bench.changes(2, 4, true).await.is_ok());
        assert_eq!(bench.kept(), ("at 2".to_owned(), 2));
        // The stream broke off; the next one starts from the kept place.
        assert!(bench.changes(2, 5, false).await.is_ok());
        assert_eq!(bench.printed(), [1, 2, 3, 4, 5]);
        assert_eq!(bench.kept(), ("at 5".to_owned(), 5));
    }

    #[tokio::test]
    async fn after_a_reset_it_goes_on_from_where_the_server_says() {
        let mut bench = Bench::new();
        assert!(bench.changes(0, 9, false).await.is_ok());
        bench.reset("anew", 3).await;
        assert_eq!(bench.kept(), ("anew".to_owned(), 3));
        assert!(bench.changes(3, 4, false).await.is_ok());
        assert_eq!(bench.printed().last(), Some(&4));
        bench.reset("", 0).await;
        assert!(bench.session.places.get("a").is_none());
    }

    #[tokio::test]
    async fn accounts_that_could_not_be_named_go_on_from_now() {
        let mut bench = Bench::new();
        assert!(bench.changes(0, 9, false).await.is_ok());
        let request = bench.session.request();
        assert!(request.all_accounts);
        assert_eq!(request.accounts.len(), 1);
        let at = |account: &str, seq| pb::AccountPosition {
            account_id: account.to_owned(),
            cursor: "now".into(),
            seq,
            head: seq,
        };
        let hello = pb::Hello { accounts: vec![at("a", 9), at("b", 40)], ..pb::Hello::default() };
        bench.session.greet(hello, &HashSet::from(["a".to_owned()]));
        assert_eq!(bench.kept(), ("at 9".to_owned(), 9));
        assert_eq!(bench.session.places.get("b").unwrap().seq, 40);
    }
}
