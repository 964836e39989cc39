//! What a stream does by the clock.

use crate::live::config::millis;
use crate::live::core::Core;
use channel_domain::time::Micros;
use channel_proto::query::v1::GoodbyeReason;
use rand::Rng as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// The most that a client waits which comes back to another server.
const MOVE_WITHIN: Duration = Duration::from_secs(1);

/// The deadlines of one stream, behind one timer.
#[derive(Debug)]
pub(super) struct Pulse {
    core: Arc<Core>,
    /// It sends bookmarks by the clock.
    lasting: bool,
    timer: Pin<Box<Sleep>>,
    /// When silence has lasted long enough.
    quiet_until: Instant,
    last_bookmark: Instant,
    rotate_at: Instant,
    expires_at: Instant,
    /// When the last frame was handed over, until the next one is asked for.
    handed_over: Option<Instant>,
    /// How long the last frame but one was not followed by a wish for another.
    left_alone: Duration,
    shutdown: bool,
}

impl Pulse {
    pub(super) fn new(core: &Arc<Core>, expires_at: Micros, lasting: bool) -> Self {
        let now = Instant::now();
        let left = expires_at.0.saturating_sub(core.clock.now_micros()).max(0);
        let left = u64::try_from(left / 1_000).unwrap_or(0);
        let config = &core.config;
        let mut pulse = Self {
            core: Arc::clone(core),
            lasting,
            timer: Box::pin(sleep_until(now)),
            quiet_until: now,
            last_bookmark: now,
            rotate_at: now + around(config.rotate_after_ms, config.rotate_jitter_ms),
            expires_at: now + millis(left),
            handed_over: None,
            left_alone: Duration::ZERO,
            shutdown: false,
        };
        pulse.sent();
        pulse.asked();
        pulse
    }

    /// Notes that a frame was handed over.
    pub(super) fn sent(&mut self) {
        let config = &self.core.config;
        let silence = around(config.bookmark_silence_ms, config.bookmark_jitter_ms);
        let now = Instant::now();
        self.handed_over = Some(now);
        self.quiet_until = now + silence;
    }

    /// Notes that another frame is asked for.
    pub(super) fn asked(&mut self) {
        let since = self.handed_over.take();
        self.left_alone = since.map(|since| since.elapsed()).unwrap_or_default();
    }

    pub(super) fn shut_down(&mut self) {
        self.shutdown = true;
    }

    /// Whether the stream must end, and when its client shall come back.
    pub(super) fn ends(&self, waiting: bool) -> Option<(GoodbyeReason, Option<Duration>)> {
        let now = Instant::now();
        let config = &self.core.config;
        if self.shutdown {
            let (least, most) = (config.shutdown_retry_min_ms, config.shutdown_retry_max_ms);
            let wait = rand::rng().random_range(least.min(most)..=most);
            Some((GoodbyeReason::Shutdown, Some(millis(wait))))
        } else if now >= self.expires_at {
            Some((GoodbyeReason::Auth, None))
        } else if now >= self.rotate_at {
            Some((GoodbyeReason::Rotate, Some(soon())))
        } else if waiting && self.left_alone >= millis(config.slow_after_ms) {
            Some((GoodbyeReason::Slow, Some(soon())))
        } else {
            None
        }
    }

    /// Whether silence has lasted long enough for a bookmark.
    pub(super) fn is_quiet(&self) -> bool {
        self.lasting && Instant::now() >= self.quiet_until
    }

    /// Whether even a busy stream needs a bookmark.
    pub(super) fn is_overdue(&self) -> bool {
        self.lasting && Instant::now() >= self.next_bookmark()
    }

    pub(super) fn bookmarked(&mut self) {
        self.last_bookmark = Instant::now();
    }

    fn next_bookmark(&self) -> Instant {
        self.last_bookmark + millis(self.core.config.bookmark_interval_ms)
    }

    fn next(&self) -> Instant {
        let end = self.rotate_at.min(self.expires_at);
        if self.lasting { end.min(self.quiet_until).min(self.next_bookmark()) } else { end }
    }

    /// Waits for the next deadline. The timer is moved only when it fires: every frame moves a deadline.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let next = self.next();
            if next <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(next);
        }
    }
}

pub(super) fn soon() -> Duration {
    rand::rng().random_range(Duration::ZERO..=MOVE_WITHIN)
}

/// A time at random, by at most `jitter_ms` longer or shorter.
fn around(ms: u64, jitter_ms: u64) -> Duration {
    let (least, most) = (ms.saturating_sub(jitter_ms), ms.saturating_add(jitter_ms));
    millis(rand::rng().random_range(least..=most))
}
