//! Whether something that a process cannot do without answers.
//!
//! It is asked in the background, so that probes, however many, read what is known and ask nothing.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// How often to ask, and how long to wait for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Between an answer and the next question.
    pub every: Duration,
    /// The same while there is no answer.
    pub every_while_away: Duration,
    /// How long an answer may take.
    pub patience: Duration,
}

/// Why there was no answer. Holds no more than the error says of itself, without its causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence(String);

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pulse {
    /// Asks for as long as it is polled, and tells whenever the answer is another than before. It is
    /// taken to be there at first.
    pub async fn feel<E, F>(self, ask: impl Fn() -> F, mut tell: impl FnMut(Result<(), Silence>))
    where
        E: Error,
        F: Future<Output = Result<(), E>>,
    {
        let mut known = Ok(());
        loop {
            let found = self.once(ask()).await;
            let pause = if found.is_ok() { self.every } else { self.every_while_away };
            if found != known {
                known.clone_from(&found);
                tell(found);
            }
            sleep(pause).await;
        }
    }

    async fn once<E: Error>(
        self,
        answer: impl Future<Output = Result<(), E>>,
    ) -> Result<(), Silence> {
        match timeout(self.patience, answer).await {
            Ok(answer) => answer.map_err(|error| Silence(error.to_string())),
            Err(_) => Err(Silence(format!("no answer within {} s", self.patience.as_secs_f32()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::io;

    use tokio::time::Instant;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    /// Keeps changes apart from questions.
    const HALF: Duration = Duration::from_millis(500);
    const PULSE: Pulse = Pulse {
        every: Duration::from_secs(5),
        every_while_away: SECOND,
        patience: Duration::from_secs(3),
    };

    #[derive(Clone, Copy)]
    enum Mood {
        Well,
        Refusing,
        Silent,
    }

    /// Something that can be asked, and what was told of it: when, and what.
    struct Asked {
        mood: Cell<Mood>,
        questions: Cell<usize>,
        told: RefCell<Vec<(u64, String)>>,
        start: Instant,
    }

    impl Asked {
        fn new() -> Self {
            let (mood, questions) = (Cell::new(Mood::Well), Cell::new(0));
            Self { mood, questions, told: RefCell::default(), start: Instant::now() }
        }

        async fn answer(&self) -> io::Result<()> {
            self.questions.set(self.questions.get() + 1);
            match self.mood.get() {
                Mood::Well => Ok(()),
                Mood::Refusing => Err(io::Error::other("not today")),
                Mood::Silent => std::future::pending().await,
            }
        }

        /// Goes on for so long, in this mood.
        async fn live(&self, moods: &[(Mood, Duration)]) {
            let tell = |found: Result<(), Silence>| {
                let what =
                    found.map_or_else(|silence| silence.to_string(), |()| "there".to_owned());
                self.told.borrow_mut().push((self.start.elapsed().as_secs(), what));
            };
            let change = async {
                for (mood, lasts) in moods {
                    self.mood.set(*mood);
                    sleep(*lasts).await;
                }
            };
            tokio::select! {
                () = PULSE.feel(|| self.answer(), tell) => {}
                () = change => {}
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_absence_and_a_return_are_told_once_each() {
        let asked = Asked::new();
        let story = [
            (Mood::Well, 12 * SECOND + HALF),
            (Mood::Refusing, 20 * SECOND),
            (Mood::Well, 20 * SECOND),
        ];
        asked.live(&story).await;
        let told = asked.told.take();
        assert_eq!(told, [(15, "not today".to_owned()), (33, "there".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_not_waited_on_for_ever() {
        let asked = Asked::new();
        let story = [
            (Mood::Well, 2 * SECOND + HALF),
            (Mood::Silent, 60 * SECOND),
            (Mood::Well, 5 * SECOND),
        ];
        asked.live(&story).await;
        let told = asked.told.take();
        assert_eq!(told[0], (8, "no answer within 3 s".to_owned()));
        assert_eq!(told[1].1, "there");
        // Within the patience that was still running, and the pause after it.
        assert!((62..=66).contains(&told[1].0), "{told:?}");
        assert_eq!(told.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_well_is_seldom_asked() {
        let asked = Asked::new();
        asked.live(&[(Mood::Well, 60 * SECOND)]).await;
        assert!(asked.questions.get() <= 13, "{}", asked.questions.get());
        assert!(asked.told.take().is_empty());
    }
}
