//! Every refusal of UniPile: what it means for a send, and what is told to people.

use crate::support::{ACCOUNT, Canned, Server, text};
use channel_domain::AccountId;
use channel_unipile::upstream::{
    Class, Failure, Kind, Messages, Reason, Refusal, SendMessage, UpstreamError,
};
use std::time::Duration;

fn account() -> AccountId {
    ACCOUNT.into()
}

fn hello() -> SendMessage {
    text("hello")
}

/// How sends end that get these answers, one each.
async fn refused_all(answers: Vec<Canned>) -> Vec<UpstreamError> {
    let count = answers.len();
    let server = Server::answering(answers).await;
    let client = server.client();
    let mut errors = Vec::new();
    for _ in 0..count {
        errors.push(client.send(&account(), &hello()).await.unwrap_err());
    }
    assert_eq!(server.lines().len(), count, "a send is never repeated");
    errors
}

async fn refused(answer: Canned) -> UpstreamError {
    refused_all(vec![answer]).await.remove(0)
}

#[tokio::test]
async fn each_error_body_has_its_class() {
    let limited = Kind::RateLimited { retry_after: None };
    let certain = Class::Certain;
    let cases = [
        ("error_400_invalid_parameters", certain(Kind::Permanent)),
        ("error_401_disconnected_account", certain(Kind::Reconnect)),
        ("error_401_missing_credentials", certain(Kind::Configuration)),
        ("error_403_account_restricted", certain(Kind::Restricted)),
        ("error_404_resource_not_found", certain(Kind::Permanent)),
        ("error_415_unsupported_media_type", certain(Kind::Permanent)),
        ("error_422_invalid_recipient", certain(Kind::Permanent)),
        ("error_429_too_many_requests", certain(limited)),
        ("error_500_provider_error", Class::Uncertain),
        ("error_501_feature_not_implemented", Class::Uncertain),
        ("error_504_request_timeout", Class::Uncertain),
        ("account_resync_not_implemented", Class::Uncertain),
    ];
    for (name, expected) in cases {
        let status = name.get(6..9).and_then(|digits| digits.parse().ok()).unwrap_or(501);
        let error = refused(Canned::fixture(status, name)).await;
        let reason = name.get(10..).unwrap();
        assert_eq!((error.class(), error.status()), (expected, Some(status)), "{name}");
        let reason = if name.starts_with("error") { reason } else { "feature_not_implemented" };
        assert_eq!(error.reason(), reason);
        assert!(!error.advice().contains("Fixture"), "{name}");
        assert!(!format!("{error} {error:?}").contains("Fixture detail"), "{name}");
    }
}

/// The decision about sends, status by status, without a type to help.
#[tokio::test]
async fn each_status_has_its_class() {
    let limited = Class::Certain(Kind::RateLimited { retry_after: None });
    let statuses = || (300..600).filter(|status| *status != 304);
    let answer = |status| Canned::new(status, "<html>nothing of UniPile's</html>");
    let errors = refused_all(statuses().map(answer).collect()).await;
    for (status, error) in statuses().zip(errors) {
        let expected = match status {
            301 | 302 | 307 | 308 | 401 | 402 | 407 => Class::Certain(Kind::Configuration),
            408 | 409 => Class::Uncertain,
            423 | 425 => Class::Certain(Kind::Temporary),
            429 => limited,
            400..=499 => Class::Certain(Kind::Permanent),
            _ => Class::Uncertain,
        };
        assert_eq!(error.class(), expected, "{status}");
        let Failure::Refused(refusal) = error.failure else { panic!("{status}") };
        let Refusal { status: told, reason, has_problem, retry_after } = refusal;
        assert_eq!((told, reason, has_problem), (status, Reason::UNKNOWN, false));
        assert_eq!(retry_after, None);
    }
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_date() {
    let cases = [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("99999999", Some(86_400)),
        ("Sun, 01 Feb 2026 10:06:12 GMT", Some(60)),
        ("Sun, 01 Feb 2026 10:05:00 GMT", Some(0)),
        ("soon", None),
        ("-5", None),
    ];
    for (written, seconds) in cases {
        let answer = Canned::fixture(429, "error_429_too_many_requests");
        let error = refused(answer.with("retry-after", written)).await;
        let retry_after = seconds.map(Duration::from_secs);
        assert_eq!(error.retry_after(), retry_after, "{written}");
        assert_eq!(error.class(), Class::Certain(Kind::RateLimited { retry_after }), "{written}");
    }
}

#[tokio::test]
async fn a_limit_told_as_422_is_a_limit_and_a_422_of_the_moment_is_temporary() {
    let body = |name| format!(r#"{{"title":"t","type":"errors/{name}","status":422}}"#);
    let limit = refused(Canned::new(422, body("limit_exceeded")).with("retry-after", "9")).await;
    let retry_after = Some(Duration::from_secs(9));
    assert_eq!(limit.class(), Class::Certain(Kind::RateLimited { retry_after }));
    let moment = refused(Canned::new(422, body("provider_unreachable"))).await;
    assert_eq!(moment.class(), Class::Certain(Kind::Temporary));
    let news = refused(Canned::new(422, body("brand_new"))).await;
    assert_eq!((news.class(), news.reason()), (Class::Certain(Kind::Permanent), "unknown"));
    let Failure::Refused(refusal) = news.failure else { panic!() };
    assert!(refusal.has_problem);
}

#[tokio::test]
async fn an_error_body_of_odd_form_still_refuses() {
    for body in ["", "null", "[]", "{}", r#"{"type":5}"#, r#"{"type":"about:blank"}"#, "{\"ty"] {
        let error = refused(Canned::new(403, body)).await;
        assert_eq!(error.class(), Class::Certain(Kind::Permanent), "{body}");
        assert_eq!(error.reason(), "unknown", "{body}");
    }
    let no_prefix = r#"{"title":"x","type":"ACCOUNT_RESTRICTED"}"#;
    assert_eq!(refused(Canned::new(403, no_prefix)).await.reason(), "account_restricted");
}

#[test]
fn every_reason_is_found_by_its_name_and_speaks_to_people() {
    let mut names: Vec<_> = Reason::all().map(Reason::name).collect();
    assert!(names.len() > 60);
    for reason in Reason::all() {
        assert_eq!(Reason::from_wire(&format!("errors/{reason}")), reason);
        assert_eq!(Reason::from_wire(&reason.name().to_uppercase()), reason);
        let refusal = Refusal { status: 422, reason, has_problem: true, retry_after: None };
        let error = UpstreamError { route: "x", failure: Failure::Refused(refusal) };
        assert!(error.advice().ends_with('.'), "{reason}");
        assert!(!error.kind().code().is_empty());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Reason::all().count());
}
