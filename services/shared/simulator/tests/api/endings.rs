//! Calls that are never answered, break off, or take long.

use std::time::Duration;

use channel_simulator::{ApiFault, AtLeast, Condition, Route, Which};

use crate::rig::Rig;

const SEND: Route = Route::SendMessage;

fn is(text: &str) -> Which {
    Which { text: Some(text.to_owned()), ..Which::default() }
}

#[tokio::test]
async fn a_connection_breaks_before_accepting_or_after_it() {
    let rig = Rig::start().await;
    let path = format!("/chats/{}/messages", rig.chat().await);
    for (accepted, text) in [(false, "not accepted"), (true, "accepted")] {
        rig.next(SEND, ApiFault::Reset { accepted });
        let error = rig.form(&path, &[("text", text)]).send().await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
        assert_eq!(rig.running.remote.accepted(&is(text)).len(), usize::from(accepted));
    }
    assert_eq!(rig.answer(rig.form(&path, &[("text", "on")])).await.0, 201);
}

#[tokio::test]
async fn a_call_is_never_answered_and_was_accepted_or_not() {
    let rig = Rig::start().await;
    let path = format!("/chats/{}/messages", rig.chat().await);
    for (accepted, text) in [(true, "accepted"), (false, "not accepted")] {
        rig.next(SEND, ApiFault::Timeout { accepted });
        let call = rig.form(&path, &[("text", text)]).timeout(Duration::from_millis(400)).send();
        assert!(call.await.unwrap_err().is_timeout());
        assert_eq!(rig.running.remote.accepted(&is(text)).len(), usize::from(accepted), "{text}");
    }
    // An unanswered call holds up nobody.
    assert_eq!(rig.answer(rig.form(&path, &[("text", "on")])).await.0, 201);
}

#[tokio::test]
async fn an_accepted_message_of_an_unanswered_call_goes_its_way() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    rig.next(SEND, ApiFault::Timeout { accepted: true });
    let call = rig.text(&chat, "Lost and found");
    let accepted = AtLeast { count: 1, which: is("Lost and found") };
    let waiting = rig.until(Condition { accepted: Some(accepted), ..Condition::default() });
    tokio::select! {
        answer = call => panic!("{answer:?}"),
        () = waiting => {}
    }
    rig.settle().await;
    let echo = rig.bodies(|hook| hook["message"] == "Lost and found");
    assert_eq!(echo.len(), 3);
}

#[tokio::test]
async fn latency_delays_the_answer() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    rig.next(SEND, ApiFault::Latency { ms: 250, jitter_ms: 50 });
    let began = std::time::Instant::now();
    rig.sent(&chat, "Slowly").await;
    assert!(began.elapsed() >= Duration::from_millis(250));
}
