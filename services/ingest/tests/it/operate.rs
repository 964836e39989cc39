//! The contract: delivering over gRPC, looking at the inbox, replaying, status.

use std::collections::BTreeSet;

use channel_ingest::{IngestConfig, Parser};
use channel_proto::ingest::v1 as pb;
use channel_runtime::fault::{reason_of, violations_of};
use channel_runtime::identity::Role;
use channel_store::intake::Outcome;
use serde_json::json;
use tonic::{Code, Status};

use crate::support::{Running, SECRET, by, config, message, run, sqlite, start};

async fn deliver(
    running: &Running,
    request: pb::DeliverWebhookRequest,
) -> Result<pb::DeliverWebhookResponse, Status> {
    let answer = running.client().deliver_webhook(by(Role::Service, request)).await;
    answer.map(tonic::Response::into_inner)
}

async fn list(
    running: &Running,
    request: pb::ListQuarantinedRequest,
) -> Result<pb::ListQuarantinedResponse, Status> {
    let answer = running.client().list_quarantined(by(Role::Operator, request)).await;
    answer.map(tonic::Response::into_inner)
}

async fn replay(
    running: &Running,
    request: pb::ReplayRequest,
) -> Result<pb::ReplayResponse, Status> {
    let answer = running.client().replay(by(Role::Operator, request)).await;
    answer.map(tonic::Response::into_inner)
}

fn body(body: impl AsRef<[u8]>) -> pb::DeliverWebhookRequest {
    pb::DeliverWebhookRequest { body: body.as_ref().to_vec().into(), ..Default::default() }
}

fn header(name: &str, value: &str) -> pb::WebhookHeader {
    pb::WebhookHeader { name: name.to_owned(), value: value.as_bytes().to_vec().into() }
}

fn told<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), reason_of(&status).unwrap_or_default())
}

fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let violations = violations_of(&answer.unwrap_err());
    violations.into_iter().map(|(field, _)| field).collect()
}

#[tokio::test]
async fn every_method_wants_its_role() {
    let running = start(config()).await;
    for role in [Role::Viewer, Role::Admin, Role::Operator] {
        let answer = running.client().deliver_webhook(by(role, body("{}"))).await;
        assert_eq!(told(answer).1, "ROLE_MISSING");
    }
    for role in [Role::Viewer, Role::Admin, Role::Service] {
        let mut client = running.client();
        let missing = (Code::PermissionDenied, "ROLE_MISSING".to_owned());
        assert_eq!(
            told(client.list_quarantined(by(role, pb::ListQuarantinedRequest::default())).await),
            missing
        );
        assert_eq!(told(client.replay(by(role, pb::ReplayRequest::default())).await), missing);
        let status = client.get_ingest_status(by(role, pb::GetIngestStatusRequest {})).await;
        assert_eq!(told(status), missing);
    }
    let nobody = running.client().get_ingest_status(pb::GetIngestStatusRequest {}).await;
    assert_eq!(told(nobody), (Code::Unauthenticated, "TOKEN_MISSING".to_owned()));
    assert!(running.inbox(&[]).await.is_empty());
}

#[tokio::test]
async fn a_service_delivers_with_its_token_or_hands_on_what_it_was_sent() {
    let running = start(config()).await;
    let vouched = deliver(&running, body(message("a", "m1"))).await.unwrap();
    assert_eq!(vouched.outcome(), pb::WebhookOutcome::Applied);
    assert!(!vouched.inbox_id.is_empty());

    let handed_on = |secret: &str| pb::DeliverWebhookRequest {
        headers: vec![header("content-type", "text/plain"), header("UNIPILE-AUTH", secret)],
        ..body(message("a", "m2"))
    };
    let wrong = deliver(&running, handed_on("wrong")).await;
    assert_eq!(told(wrong), (Code::PermissionDenied, "WEBHOOK_SECRET_WRONG".to_owned()));
    let without = pb::DeliverWebhookRequest {
        headers: vec![header("content-type", "text/plain")],
        ..body(message("a", "m2"))
    };
    assert_eq!(told(deliver(&running, without).await).1, "WEBHOOK_SECRET_WRONG");
    let right = deliver(&running, handed_on(SECRET)).await.unwrap();
    assert_eq!(right.outcome(), pb::WebhookOutcome::Applied);
    let again = deliver(&running, handed_on(SECRET)).await.unwrap();
    assert_eq!(again.outcome(), pb::WebhookOutcome::Duplicate);
    let poison = deliver(&running, body("{")).await.unwrap();
    assert_eq!(poison.outcome(), pb::WebhookOutcome::Quarantined);
    assert_eq!(poison.reason, "TRUNCATED");
    assert_eq!(running.inbox(&[]).await.len(), 3);
}

#[tokio::test]
async fn a_body_over_the_limit_is_named() {
    let running = start(IngestConfig { body_limit_bytes: 10, ..config() }).await;
    let large = deliver(&running, body([b' '; 11])).await;
    assert_eq!(told(large), (Code::InvalidArgument, "BODY_TOO_LARGE".to_owned()));
    let all_wrong = pb::DeliverWebhookRequest {
        headers: vec![header("a b", "x"), header("c", "\n")],
        ..body([b' '; 11])
    };
    let answer = deliver(&running, all_wrong).await;
    assert_eq!(fields(answer), ["headers[0].name", "headers[1].value", "body"]);
}

#[tokio::test]
async fn the_inbox_is_listed_page_by_page_with_every_filter() {
    let running = start(config()).await;
    for n in 0..7 {
        running.send(format!("{{broken {n}")).await;
    }
    running.send(json!({"event": "message_sung", "account_id": "a"}).to_string()).await;
    running.send(message("a", "m1")).await;
    running.send(message("b", "m2")).await;

    let mut request = pb::ListQuarantinedRequest { page_size: 3, ..Default::default() };
    let mut seen = vec![];
    loop {
        let page = list(&running, request.clone()).await.unwrap();
        seen.extend(page.entries);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let ids: Vec<i64> = seen.iter().map(|entry| entry.inbox_id.parse().unwrap()).collect();
    assert!(ids.len() == 7 && ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    assert!(
        seen.iter().all(|it| it.reason == "NOT_JSON" && it.body.is_empty() && it.body_bytes == 9)
    );

    let applied = pb::ListQuarantinedRequest {
        states: vec![pb::InboxState::Applied.into(), pb::InboxState::NoOp.into()],
        account_id: "a".to_owned(),
        include_body: true,
        ..Default::default()
    };
    let of_a = list(&running, applied.clone()).await.unwrap().entries;
    let events: BTreeSet<_> = of_a.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, BTreeSet::from(["message_received", "message_sung"]));
    assert_eq!(of_a[0].body, message("a", "m1"));
    let reason = pb::ListQuarantinedRequest { reason: "UNKNOWN_EVENT".to_owned(), ..applied };
    assert_eq!(list(&running, reason).await.unwrap().entries.len(), 1);
    let future = pb::ListQuarantinedRequest {
        received_from: Some(prost_types::Timestamp { seconds: 32_503_680_000, nanos: 0 }),
        ..Default::default()
    };
    assert!(list(&running, future).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn every_bad_field_is_named_at_once_and_a_forged_token_is_refused() {
    let running = start(config()).await;
    let at = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let request = pb::ListQuarantinedRequest {
        states: vec![4, 0, 99],
        account_id: "a".repeat(600),
        reason: "r".repeat(65),
        inbox_ids: vec!["1".to_owned(), "one".to_owned()],
        order: 7,
        received_from: at(5, -1),
        received_before: at(i64::MAX, 0),
        page_size: 201,
        page_token: "forged".to_owned(),
        ..Default::default()
    };
    let answer = list(&running, request).await;
    assert_eq!(told(answer.clone()).1, "INVALID_ARGUMENT");
    let expected = [
        "order",
        "states[1]",
        "states[2]",
        "account_id",
        "reason",
        "inbox_ids[1]",
        "received_from",
        "received_before",
        "page_size",
        "page_token",
    ];
    assert_eq!(fields(answer), expected);

    let forged =
        pb::ListQuarantinedRequest { page_token: "forged".to_owned(), ..Default::default() };
    let refused = (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned());
    assert_eq!(told(list(&running, forged).await), refused);

    assert_eq!(fields(replay(&running, pb::ReplayRequest::default()).await), ["inbox_ids"]);
    let request = pb::ReplayRequest {
        inbox_ids: vec!["1".to_owned(), "x".to_owned(), "-1".to_owned()],
        received_from: at(9, 0),
        received_before: at(8, 0),
        page_size: -1,
        ..Default::default()
    };
    let expected = ["inbox_ids[1]", "inbox_ids[2]", "received_before", "page_size"];
    assert_eq!(fields(replay(&running, request).await), expected);
}

/// Of `a`: applied, unknown; of `b`: unknown; then two that make no sense, for different reasons.
async fn mixed(running: &Running) -> Vec<String> {
    let unknown = |account: &str| json!({"event": "message_sung", "account_id": account});
    let bodies = [
        message("a", "m1"),
        unknown("a").to_string(),
        unknown("b").to_string(),
        "{".to_owned(),
        "not json".to_owned(),
    ];
    for body in bodies {
        running.send(body).await;
    }
    let stored = running.inbox(&[]).await;
    stored.iter().rev().map(|stored| stored.stamp.inbox.to_string()).collect()
}

fn ids(page: &pb::ListQuarantinedResponse) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.inbox_id.as_str()).collect()
}

#[tokio::test]
async fn entries_are_listed_by_id_account_and_reason_in_either_order() {
    let running = start(config()).await;
    let all = mixed(&running).await;
    let any = || pb::ListQuarantinedRequest {
        states: (1..=6).collect(),
        order: pb::InboxOrder::OldestFirst.into(),
        ..Default::default()
    };
    let of =
        |account_id: &str| pb::ListQuarantinedRequest { account_id: account_id.into(), ..any() };
    let because = |reason: &str| pb::ListQuarantinedRequest { reason: reason.into(), ..any() };
    let named = |ids: &[&String]| pb::ListQuarantinedRequest {
        inbox_ids: ids.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let both = pb::ListQuarantinedRequest { account_id: "b".into(), ..because("UNKNOWN_EVENT") };
    let cases = [
        (any(), vec![0, 1, 2, 3, 4]),
        (of("a"), vec![0, 1]),
        (because("UNKNOWN_EVENT"), vec![1, 2]),
        (both, vec![2]),
        (because("NOTHING_LIKE_IT"), vec![]),
        // In any state, the newest first unless asked otherwise; what is not kept is left out.
        (named(&[&all[0], &all[3], &"99999".to_owned()]), vec![3, 0]),
        (
            pb::ListQuarantinedRequest { account_id: "a".into(), ..named(&[&all[0], &all[2]]) },
            vec![0],
        ),
        (pb::ListQuarantinedRequest::default(), vec![4, 3]),
    ];
    for (request, expected) in cases {
        let page = list(&running, request.clone()).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|at| all[at].as_str()).collect();
        assert_eq!(ids(&page), expected, "{request:?}");
    }

    let mut request = pb::ListQuarantinedRequest { page_size: 2, ..any() };
    let first = list(&running, request.clone()).await.unwrap();
    request.page_token = first.next_page_token.clone();
    let second = list(&running, request.clone()).await.unwrap();
    assert_eq!([ids(&first), ids(&second)].concat(), all[..4]);
    for other in [
        pb::ListQuarantinedRequest { order: pb::InboxOrder::NewestFirst.into(), ..request.clone() },
        pb::ListQuarantinedRequest { account_id: "a".into(), ..request.clone() },
        pb::ListQuarantinedRequest { inbox_ids: all.clone(), ..request.clone() },
    ] {
        assert_eq!(told(list(&running, other).await).1, "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn a_replay_takes_the_same_selection_as_a_list() {
    let running = start(config()).await;
    let all = mixed(&running).await;
    let because = |reason: &str, account: &str| pb::ReplayRequest {
        reason: reason.into(),
        account_id: account.into(),
        ..Default::default()
    };
    for (request, expected) in [
        (because("UNKNOWN_EVENT", ""), vec![1, 2]),
        (because("UNKNOWN_EVENT", "b"), vec![2]),
        (because("TRUNCATED", ""), vec![3]),
    ] {
        let results = replay(&running, request.clone()).await.unwrap().results;
        let replayed: Vec<_> = results.iter().map(|one| one.inbox_id.as_str()).collect();
        let expected: Vec<_> = expected.into_iter().map(|at| all[at].as_str()).collect();
        assert_eq!(replayed, expected, "{request:?}");
    }
}

#[tokio::test]
async fn a_replay_tells_the_changes_with_their_numbers_and_a_dry_run_without() {
    let folder_and_store = sqlite().await;
    let (store, folder) = folder_and_store;
    let kept = channel_store::intake::Delivery {
        received_at: channel_domain::Micros(1),
        body: message("a", "m1").into(),
        headers: "{}".into(),
        reading: channel_store::intake::Reading::Rejected {
            reason: "OLD_RULES",
            detail: String::new(),
        },
        trace: None,
    };
    channel_store::Intake::take(&*store, vec![kept]).await.unwrap();
    let running = run(store.clone(), store, folder, config(), Parser::default()).await;
    let request =
        |dry_run| pb::ReplayRequest { reason: "OLD_RULES".into(), dry_run, ..Default::default() };
    let dry = replay(&running, request(true)).await.unwrap().results.remove(0);
    let real = replay(&running, request(false)).await.unwrap().results.remove(0);
    let numbers = |one: &pb::ReplayResult| one.changes.iter().map(|it| it.seq).collect::<Vec<_>>();
    assert_eq!(
        numbers(&real),
        (1..=u64::try_from(real.changes.len()).unwrap()).collect::<Vec<_>>()
    );
    assert!(numbers(&dry).iter().all(|seq| *seq == 0));
    let kinds = |one: &pb::ReplayResult| {
        one.changes.iter().map(|it| (it.op(), it.entity_kind(), it.unit_end)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&dry), kinds(&real));
    assert_eq!(kinds(&real).last().unwrap().1, channel_proto::types::v1::EntityKind::Message);
    assert!(real.changes.iter().all(|change| change.at.is_some() && !change.entity_id.is_empty()));
}

#[tokio::test]
async fn a_replay_goes_oldest_first_in_pages_and_changes_nothing_twice() {
    let running = start(config()).await;
    for n in 0..5 {
        running.send(message("a", &format!("m{n}"))).await;
    }
    let mut request = pb::ReplayRequest {
        states: vec![pb::InboxState::Applied.into(), pb::InboxState::NoOp.into()],
        page_size: 2,
        ..Default::default()
    };
    let (mut ids, mut pages) = (vec![], 0);
    loop {
        let page = replay(&running, request.clone()).await.unwrap();
        for one in page.results {
            assert_eq!(one.outcome(), pb::WebhookOutcome::NoOp);
            assert!(one.changes.is_empty());
            ids.push(one.inbox_id.parse::<i64>().unwrap());
        }
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((ids.len(), pages), (5, 3));
    assert!(ids.is_sorted());
}

#[tokio::test]
async fn a_replay_of_ids_that_are_not_kept_names_them_and_does_nothing() {
    let running = start(config()).await;
    running.send("{").await;
    let kept = running.inbox(&[Outcome::Quarantined]).await[0].stamp.inbox;
    let request = |ids: &[i64]| pb::ReplayRequest {
        inbox_ids: ids.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let status = replay(&running, request(&[9_001, kept, 9_000])).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(reason_of(&status).as_deref(), Some("INBOX_ENTRY_NOT_FOUND"));
    let details = tonic_types::StatusExt::get_details_error_info(&status).unwrap();
    assert_eq!(details.metadata["inbox_ids"], "9000,9001");

    let one = replay(&running, request(&[kept])).await.unwrap().results;
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].outcome(), pb::WebhookOutcome::Quarantined);
    assert_eq!(one[0].reason, "TRUNCATED");
}

#[tokio::test]
async fn the_status_counts_what_came_and_what_is_left() {
    let running = start(config()).await;
    let ask = || async {
        let request = by(Role::Operator, pb::GetIngestStatusRequest {});
        let answer = running.client().get_ingest_status(request).await;
        answer.unwrap().into_inner()
    };
    let before = ask().await;
    assert_eq!(before.mode(), pb::IntakeMode::Normal);
    assert!(before.last_received_at.is_none() && before.oldest_pending_at.is_none());

    running.send(message("a", "m")).await;
    running.send(message("a", "m")).await;
    running.send("{").await;
    for name in ["message_sung", "message_hummed", "message_sung"] {
        running.send(json!({"event": name, "account_id": "a"}).to_string()).await;
    }
    let wrong = running.request("/").header("unipile-auth", "wrong");
    wrong.body("{}").send().await.unwrap();

    let after = ask().await;
    let totals = (after.accepted_total, after.refused_total, after.duplicates_total);
    assert_eq!(totals, (6, 1, 1));
    assert_eq!((after.pending, after.quarantined, after.held), (0, 1, 0));
    assert!(after.last_received_at.is_some());
    let names: Vec<_> = after.unknown_events.iter().map(|it| (&*it.event, it.count)).collect();
    assert_eq!(names, [("message_sung", 2), ("message_hummed", 1)]);
}
