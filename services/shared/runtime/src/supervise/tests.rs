use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Backoff, Cause, Interrupted, OnFailure, Signals, Supervisor, Tasks, spawn_owned};

const GRACE: Duration = Duration::from_secs(5);

fn failed(task: &str) -> Cause {
    Cause::Failed { task: task.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_drains_in_time_ends_cleanly() {
    let supervisor = Supervisor::new();
    let drain = supervisor.drain();
    supervisor.spawn("worker", OnFailure::StopTheProcess, async move {
        drain.cancelled().await;
        tokio::time::sleep(Duration::from_millis(4_999)).await;
        Ok(())
    });
    assert!(supervisor.run(ready(()), GRACE).await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_stuck_task_is_cut_off_after_the_grace_and_named() {
    let supervisor = Supervisor::new();
    supervisor.spawn("stuck", OnFailure::LogAndGoOn, pending());
    let started = Instant::now();
    let outcome = supervisor.run(ready(()), GRACE).await;
    assert_eq!(outcome.cut_off, ["stuck"]);
    assert_eq!(outcome.cause, Cause::Asked);
    assert_eq!(started.elapsed().as_secs(), GRACE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn asking_again_ends_the_grace_at_once() {
    let supervisor = Supervisor::new();
    supervisor.spawn("stuck", OnFailure::LogAndGoOn, pending());
    let started = Instant::now();
    let outcome = supervisor.run_insisting(ready(()), ready(()), GRACE).await;
    assert_eq!(outcome.cut_off, ["stuck"]);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_essential_failure_drains_the_others_and_is_named() {
    let supervisor = Supervisor::new();
    let drain = supervisor.drain();
    let (drained, seen) = oneshot::channel();
    supervisor.spawn("other", OnFailure::LogAndGoOn, async move {
        drain.cancelled().await;
        drained.send(()).map_err(|()| "nobody listens".into())
    });
    supervisor.spawn("essential", OnFailure::StopTheProcess, async { Err("broken".into()) });
    let outcome = supervisor.run(pending(), GRACE).await;
    assert_eq!(outcome.cause, failed("essential"));
    assert!(outcome.cut_off.is_empty());
    seen.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_its_task_only() {
    let supervisor = Supervisor::new();
    supervisor.spawn("essential", OnFailure::StopTheProcess, async { panic!("as the test asks") });
    assert_eq!(supervisor.run(pending(), GRACE).await.cause, failed("essential"));
}

#[tokio::test(start_paused = true)]
async fn the_process_survives_the_failure_of_a_task_that_it_can_miss() {
    let supervisor = Supervisor::new();
    supervisor.spawn("minor", OnFailure::LogAndGoOn, async { panic!("as the test asks") });
    supervisor.spawn("other minor", OnFailure::LogAndGoOn, async { Err("broken".into()) });
    let later = tokio::time::sleep(Duration::from_mins(1));
    assert!(supervisor.run(later, GRACE).await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_restarted_task_comes_back_after_a_wait() {
    let supervisor = Supervisor::new();
    let runs = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&runs);
    let (done, third) = oneshot::channel();
    let mut done = Some(done);
    supervisor.spawn_restarting("flaky", Backoff::default(), move || {
        let run = seen.fetch_add(1, Ordering::SeqCst) + 1;
        let done = done.take_if(|_| run == 3);
        async move {
            assert_ne!(run, 2, "a panic, as the test asks");
            match done {
                Some(done) => done.send(()).map_err(|()| "nobody listens".into()),
                None => Err("broken".into()),
            }
        }
    });
    let started = Instant::now();
    let outcome = supervisor.run(async { third.await.unwrap() }, GRACE).await;
    assert!(outcome.is_clean());
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    // 100 ms and 200 ms, each shortened by up to a quarter.
    let waited = started.elapsed().as_millis();
    assert!((225..=303).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_never_recovers_stops_the_process() {
    let supervisor = Supervisor::new();
    let backoff = Backoff { give_up_after: 4, ..Backoff::default() };
    let runs = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&runs);
    supervisor.spawn_restarting("hopeless", backoff, move || {
        seen.fetch_add(1, Ordering::SeqCst);
        async { Err("broken".into()) }
    });
    assert_eq!(supervisor.run(pending(), GRACE).await.cause, failed("hopeless"));
    assert_eq!(runs.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_a_restart() {
    let supervisor = Supervisor::new();
    let backoff =
        Backoff { first: Duration::from_mins(10), most: Duration::MAX, ..Backoff::default() };
    supervisor.spawn_restarting("down", backoff, || async { Err("broken".into()) });
    let soon = tokio::time::sleep(Duration::from_secs(1));
    assert!(supervisor.run(soon, GRACE).await.is_clean());
}

#[test]
fn waits_double_up_to_the_most() {
    let backoff = Backoff::default();
    let mut before = Duration::ZERO;
    for failures in 1..100 {
        let wait = backoff.wait(failures);
        assert!(wait >= before && wait <= backoff.most);
        assert!(backoff.jittered(failures) <= wait);
        before = wait;
    }
    assert_eq!(before, backoff.most);
}

#[tokio::test(start_paused = true)]
async fn owned_work_goes_on_when_its_caller_is_dropped_and_the_end_waits_for_it() {
    let supervisor = Supervisor::new();
    let (done, mut seen) = oneshot::channel();
    let work = supervisor.tasks().spawn_owned(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        done.send(())
    });
    drop(work);
    assert!(supervisor.run(ready(()), GRACE).await.is_clean());
    seen.try_recv().unwrap();
}

#[tokio::test(start_paused = true)]
async fn owned_work_that_outlives_the_grace_is_reported() {
    let supervisor = Supervisor::new();
    drop(supervisor.tasks().spawn_owned(pending::<()>()));
    assert_eq!(supervisor.run(ready(()), GRACE).await.cut_off, ["owned work"]);
}

#[tokio::test]
async fn owned_work_hands_its_result_back_and_reports_a_panic() {
    assert_eq!(spawn_owned(async { 7 }).await, Ok(7));
    let tasks = Tasks::default();
    let lost = tasks.spawn_owned(async { panic!("as the test asks") });
    assert_eq!(lost.await, Err::<(), _>(Interrupted));
    tasks.drained().await;
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_asks_and_a_second_one_insists() {
    let supervisor = Supervisor::new();
    supervisor.spawn("stuck", OnFailure::LogAndGoOn, pending());
    let signals = Signals::listen().unwrap();
    let drain = supervisor.drain();
    let run = tokio::spawn(supervisor.run_until_signal(signals, Duration::from_mins(10)));
    terminate_self().await;
    drain.cancelled().await;
    terminate_self().await;
    assert_eq!(run.await.unwrap().cut_off, ["stuck"]);
}

#[cfg(unix)]
async fn terminate_self() {
    let pid = std::process::id().to_string();
    let killed = tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(killed.unwrap().success());
}
