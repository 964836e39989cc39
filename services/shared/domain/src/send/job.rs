//! One message in the outbox, and the steps of its life.

use super::{Failure, Phase, Request};
use crate::ids::{ChatId, MessageId, UpstreamMessageId};
use crate::time::Micros;
use std::time::Duration;

/// How long and how often things are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a request may be under way unseen: whoever sends renews it.
    pub lease: Duration,
    /// After how long, counted from the request, an uncertain message is looked for in its chat.
    pub probes: [Duration; 3],
    /// How often a message may be refused with hope before it has failed.
    pub refusals: u32,
    /// The first wait after a refusal; each further one doubles it.
    pub backoff: Duration,
    /// The longest wait after a refusal.
    pub backoff_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(1),
            probes: [10, 30, 60].map(Duration::from_secs),
            refusals: 8,
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_mins(5),
        }
    }
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The message's key inside the account. Messages of a chat leave in the order of their keys.
    pub key: i64,
    /// The message's public id, made by the client.
    pub id: MessageId,
    /// Key of the chat.
    pub chat_key: i64,
    /// Public id of the chat.
    pub chat: ChatId,
    /// What is to be sent.
    pub request: Request,
    /// The hash of what the client asked for, by which a repetition is told from a mistake.
    pub hash: [u8; 32],
    /// Where it stands.
    pub phase: Phase,
    /// Requests made so far. A request is known by its number: an answer to an older one is ignored.
    pub attempts: u32,
    /// Refusals with hope so far.
    pub refusals: u32,
    /// How often it was looked for since it became uncertain.
    pub probes: u32,
    /// When something is due: the next request, the end of the lease, the next look.
    pub next_at: Micros,
    /// When it is given up, if it has not left by then.
    pub expires_at: Micros,
    /// When the last request began.
    pub started_at: Option<Micros>,
    /// Why it is not sent, or was refused last.
    pub failure: Option<Failure>,
    /// The sequence number of the last event about it.
    pub rev: u64,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// UniPile took it; its id may be missing.
    Accepted {
        /// UniPile's id of the message.
        message: Option<UpstreamMessageId>,
        /// UniPile's id of the chat, when the request started one.
        chat: Option<ChatId>,
    },
    /// Nothing was sent, for certain.
    Refused(Refusal),
    /// It may have been sent.
    Unknown {
        /// Stable reason.
        reason: String,
    },
}

/// A refusal that is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable reason.
    pub reason: String,
    /// A sentence for people.
    pub detail: String,
    /// What may come next.
    pub attempt: Attempt,
}

/// What may come after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing: the same would be refused again.
    Never,
    /// The same later, some times.
    Later {
        /// How long to wait at least.
        wait: Option<Duration>,
    },
    /// The same later, however often: UniPile or the account is away, which is not the message's fault.
    Whenever {
        /// How long to wait at least.
        wait: Option<Duration>,
    },
}

/// Full jitter, and at least half a second: a random part of a bound that doubles.
fn backoff(refusals: u32, jitter: f64, limits: &Limits) -> Duration {
    let doublings = refusals.max(1).saturating_sub(1).min(16);
    let bound = (limits.backoff * (1 << doublings)).min(limits.backoff_max);
    bound.mul_f64(jitter.clamp(0.0, 1.0)).max(Duration::from_millis(500))
}

/// When the same may be tried again after a refusal, which is counted; `None`: never.
pub(super) fn next_try(
    attempt: Attempt,
    refusals: &mut u32,
    jitter: f64,
    now: Micros,
    limits: &Limits,
) -> Option<Micros> {
    let least = match attempt {
        Attempt::Never => return None,
        Attempt::Later { wait } => {
            *refusals += 1;
            (*refusals < limits.refusals).then_some(wait)?
        }
        Attempt::Whenever { wait } => wait,
    };
    let wait = backoff(*refusals, jitter, limits).max(least.unwrap_or_default());
    Some(now.plus(wait))
}

impl Job {
    /// Whether its time has run out while it waits.
    #[must_use]
    pub fn has_expired(&self, now: Micros) -> bool {
        self.phase == Phase::Queued && self.expires_at <= now
    }

    /// Whether the next request may begin.
    #[must_use]
    pub fn is_ready(&self, now: Micros) -> bool {
        self.phase == Phase::Queued && self.next_at <= now && self.expires_at > now
    }

    /// Gives it up because its time ran out.
    pub fn expire(&mut self, now: Micros) {
        self.end(Phase::Expired, "EXPIRED", "It could not be sent in time.", now);
    }

    /// Waits for something else, at most until its time runs out.
    pub fn wait_until(&mut self, at: Micros) {
        self.next_at = at.min(self.expires_at);
    }

    /// Fails while it waits: what it waits for will not be.
    pub fn fail(&mut self, reason: &str, detail: &str, now: Micros) {
        if self.phase == Phase::Queued {
            self.end(Phase::Failed, reason, detail, now);
        }
    }

    /// Whether it starts its chat, or may have, or did.
    #[must_use]
    pub const fn is_starting(&self) -> bool {
        let lives = self.phase.is_open() || matches!(self.phase, Phase::Sent | Phase::Unconfirmed);
        lives && self.request.starts_a_chat()
    }

    /// Begins a request.
    pub fn begin(&mut self, now: Micros, limits: &Limits) {
        self.phase = Phase::Sending;
        self.attempts += 1;
        self.started_at = Some(now);
        self.next_at = now.plus(limits.lease);
    }

    /// Whether this request is the one under way.
    #[must_use]
    pub fn is_under_way(&self, attempt: u32) -> bool {
        self.phase == Phase::Sending && self.attempts == attempt
    }

    /// The request is still under way.
    pub fn renew(&mut self, now: Micros, limits: &Limits) {
        self.next_at = now.plus(limits.lease);
    }

    /// Takes the end of the request under way.
    pub fn finish(&mut self, verdict: &Verdict, jitter: f64, now: Micros, limits: &Limits) {
        match verdict {
            Verdict::Accepted { message: Some(_), .. } => self.sent(),
            Verdict::Accepted { message: None, .. } => self.doubt("NO_ID", limits),
            Verdict::Unknown { reason } => self.doubt(reason, limits),
            Verdict::Refused(refusal) => self.refused(refusal, jitter, now, limits),
        }
    }

    /// It was sent.
    pub fn sent(&mut self) {
        self.phase = Phase::Sent;
        self.failure = None;
    }

    /// Nobody tells any more how the request ended.
    pub fn abandoned(&mut self, limits: &Limits) {
        self.doubt("INTERRUPTED", limits);
    }

    fn doubt(&mut self, reason: &str, limits: &Limits) {
        let started = self.started_at.unwrap_or(self.next_at);
        self.phase = Phase::Uncertain;
        self.probes = 0;
        self.next_at = started.plus(limits.probes[0]);
        self.failure = Some(Failure::new(reason, "UniPile's answer got lost.", started));
    }

    fn refused(&mut self, refusal: &Refusal, jitter: f64, now: Micros, limits: &Limits) {
        let Refusal { reason, detail, attempt } = refusal;
        self.failure = Some(Failure::new(reason, detail, now));
        match next_try(*attempt, &mut self.refusals, jitter, now, limits) {
            None => self.end(Phase::Failed, reason, detail, now),
            Some(at) => (self.phase, self.next_at) = (Phase::Queued, at),
        }
    }

    /// It was looked for in its chat, and not found.
    pub fn not_found(&mut self, now: Micros, limits: &Limits) {
        self.probes += 1;
        let started = self.started_at.unwrap_or(now);
        if let Some(wait) = limits.probes.get(self.probes as usize) {
            self.next_at = started.plus(*wait).max(now);
            return;
        }
        let detail =
            "It could not be confirmed. Look into the chat, then send it again or leave it.";
        self.end(Phase::Unconfirmed, "UNCONFIRMED", detail, now);
    }

    /// The chat could not be looked into: that is no answer, the same look is due again.
    pub fn look_again(&mut self, wait: Duration, now: Micros) {
        self.next_at = now.plus(wait);
    }

    /// Cancels it while it waits.
    pub fn cancel(&mut self, now: Micros) {
        if self.phase == Phase::Queued {
            self.end(Phase::Cancelled, "CANCELLED", "It was cancelled.", now);
        }
    }

    /// Whether a person may decide about it.
    #[must_use]
    pub const fn is_resolvable(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::Unconfirmed | Phase::Expired)
    }

    /// A person decided to leave it.
    pub fn discard(&mut self, reason: &str, now: Micros) {
        if self.phase == Phase::Unconfirmed {
            self.end(Phase::Failed, reason, "It could not be confirmed, and was left.", now);
        }
    }

    fn end(&mut self, phase: Phase, reason: &str, detail: &str, now: Micros) {
        self.phase = phase;
        self.failure = Some(Failure::new(reason, detail, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        lease: Duration::from_mins(1),
        probes: [Duration::from_secs(10), Duration::from_secs(30), Duration::from_mins(1)],
        refusals: 3,
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(8),
    };

    fn job() -> Job {
        Job {
            key: 1,
            id: MessageId(uuid::Uuid::nil()),
            chat_key: 2,
            chat: "c".into(),
            request: Request::Message { text: None, files: vec![], quote: None, typing_ms: None },
            hash: [0; 32],
            phase: Phase::Queued,
            attempts: 0,
            refusals: 0,
            probes: 0,
            next_at: Micros(0),
            expires_at: Micros(1_000_000_000),
            started_at: None,
            failure: None,
            rev: 0,
        }
    }

    fn refusal(attempt: Attempt) -> Verdict {
        Verdict::Refused(Refusal { reason: "R".into(), detail: "d".into(), attempt })
    }

    #[test]
    fn an_uncertain_message_is_looked_for_three_times_and_then_left_to_a_person() {
        let mut job = job();
        job.begin(Micros(0), &LIMITS);
        let lost = Verdict::Unknown { reason: "timeout".into() };
        job.finish(&lost, 0.5, Micros(30_000_000), &LIMITS);
        let mut looks = Vec::new();
        while job.phase == Phase::Uncertain {
            looks.push(job.next_at.0 / 1_000_000);
            job.not_found(job.next_at, &LIMITS);
        }
        assert_eq!(looks, [10, 30, 60]);
        assert_eq!(job.phase, Phase::Unconfirmed);
    }

    #[test]
    fn an_outage_never_uses_a_message_up_and_refusals_do() {
        let mut job = job();
        for _ in 0..20 {
            job.begin(job.next_at, &LIMITS);
            let away = refusal(Attempt::Whenever { wait: Some(Duration::from_secs(2)) });
            job.finish(&away, 0.0, job.started_at.unwrap(), &LIMITS);
            assert_eq!(job.phase, Phase::Queued);
        }
        for left in (0..LIMITS.refusals).rev() {
            job.begin(job.next_at, &LIMITS);
            job.finish(&refusal(Attempt::Later { wait: None }), 1.0, job.next_at, &LIMITS);
            assert_eq!(job.phase == Phase::Failed, left == 0);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Begin,
        Finish(u8),
        Abandon,
        NotFound,
        Cancel,
        Expire,
        Echo,
        Discard,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Begin),
            (0..5_u8).prop_map(Step::Finish),
            Just(Step::Abandon),
            Just(Step::NotFound),
            Just(Step::Cancel),
            Just(Step::Expire),
            Just(Step::Echo),
            Just(Step::Discard),
        ]
    }

    /// Does what the outbox would do: each step only where its own guard allows it.
    fn play(job: &mut Job, step: &Step, now: Micros) {
        match step {
            Step::Begin if job.is_ready(now) => job.begin(now, &LIMITS),
            Step::Finish(how) if job.is_under_way(job.attempts) => {
                let id = |id: &str| Verdict::Accepted { message: Some(id.into()), chat: None };
                let verdict = match how {
                    0 => id("m"),
                    1 => Verdict::Accepted { message: None, chat: None },
                    2 => Verdict::Unknown { reason: "X".into() },
                    3 => refusal(Attempt::Never),
                    _ => refusal(Attempt::Later { wait: None }),
                };
                job.finish(&verdict, 1.0, now, &LIMITS);
            }
            Step::Abandon if job.phase == Phase::Sending => job.abandoned(&LIMITS),
            Step::NotFound if job.phase == Phase::Uncertain => job.not_found(now, &LIMITS),
            Step::Cancel => job.cancel(now),
            Step::Expire if job.has_expired(now) => job.expire(now),
            Step::Echo if job.phase.may_have_left() => job.sent(),
            Step::Discard if job.is_resolvable() => job.discard("DISCARDED", now),
            _ => {}
        }
    }

    proptest! {
        /// The guarantee of the outbox: once a request may have left, the message never waits for another
        /// one; only a certain refusal brings it back.
        #[test]
        fn a_message_that_may_have_left_is_never_queued_again(
            steps in proptest::collection::vec(step(), 1..40),
        ) {
            let mut job = job();
            for (second, step) in (0..).zip(&steps) {
                let before = job.clone();
                play(&mut job, step, Micros(second * 40_000_000));
                let uncertain = matches!(before.phase, Phase::Uncertain | Phase::Unconfirmed);
                prop_assert!(!(uncertain && job.phase == Phase::Queued), "{before:?} {step:?}");
                if matches!(before.phase, Phase::Sent | Phase::Cancelled | Phase::Expired) {
                    prop_assert_eq!(before.phase, job.phase);
                }
                let began = job.attempts - before.attempts;
                prop_assert!(began == 0 || before.phase == Phase::Queued);
                if job.phase == Phase::Queued && before.phase == Phase::Sending {
                    prop_assert!(matches!(step, Step::Finish(4..)), "{step:?}");
                }
                prop_assert_eq!(job.phase == Phase::Sent && job.failure.is_some(), false);
            }
        }
    }
}
