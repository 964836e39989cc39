use std::fmt::Write;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{DOMAIN, violations_of};
use super::{Fault, FieldErrors, Kind, http_status, reason_of, retry_after_of, to_status};

#[derive(Debug, thiserror::Error)]
#[error("the shown text")]
struct Failure {
    kind: Kind,
    #[source]
    cause: std::io::Error,
}

impl Fault for Failure {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn reason(&self) -> &'static str {
        "SOME_REASON"
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        vec![("account_id", "acc".to_owned())]
    }
}

fn failure(kind: Kind) -> Failure {
    Failure { kind, cause: std::io::Error::other("password=hunter2") }
}

const LATER: Option<Duration> = Some(Duration::from_secs(7));
const KINDS: [Kind; 11] = [
    Kind::Invalid,
    Kind::NotFound,
    Kind::Conflict,
    Kind::FailedPrecondition,
    Kind::Forbidden,
    Kind::Unauthenticated,
    Kind::Throttled { retry_after: LATER },
    Kind::Unavailable { retry_after: None },
    Kind::Unimplemented,
    Kind::Deadline,
    Kind::Internal,
];

#[test]
fn each_kind_has_one_answer_in_each_protocol() {
    let mut table = String::new();
    for kind in KINDS {
        let status = to_status(&failure(kind));
        let (code, http) = (status.code(), http_status(kind).as_u16());
        let reason = reason_of(&status).unwrap();
        let (retry, message) = (retry_after_of(&status), status.message());
        writeln!(table, "{kind:?} | {code:?} {http} | {reason} | {retry:?} | {message}").unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_reason_carries_our_domain_and_its_facts() {
    let info = to_status(&failure(Kind::NotFound)).get_details_error_info().unwrap();
    assert_eq!(info.domain, DOMAIN);
    assert_eq!(info.metadata["account_id"], "acc");
}

#[test]
fn an_internal_error_shows_nothing_of_its_cause() {
    let status = to_status(&failure(Kind::Internal));
    assert!(!format!("{status:?}").contains("hunter2"));
    assert_eq!(status.message(), "internal error");
    assert!(status.get_details_error_info().unwrap().metadata.is_empty());
}

#[test]
fn every_bad_field_is_named_at_once() {
    let mut bad = FieldErrors::default();
    assert_eq!(bad.parse::<u16>("port", "80"), Some(80));
    assert_eq!(bad.parse::<u16>("limit", "many"), None);
    assert_eq!(bad.require::<()>("account_id", None), None);
    bad.ensure("text", false, "must not be empty");
    bad.nest("target", FieldErrors::of("chat_id", "must be set"));

    let status = Status::from(bad.finish().unwrap_err());
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason_of(&status).as_deref(), Some("INVALID_ARGUMENT"));
    let fields: Vec<_> = violations_of(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["limit", "account_id", "text", "target.chat_id"]);
    assert!(status.message().ends_with("and 1 more"), "{}", status.message());
}

#[test]
fn good_fields_finish_well_and_a_reason_can_be_ones_own() {
    assert_eq!(FieldErrors::default().finish(), Ok(()));
    let mut bad = FieldErrors::with_reason("PAGE_TOKEN_INVALID");
    bad.add("page_token", "is not one of ours");
    assert_eq!(reason_of(&bad.into()).as_deref(), Some("PAGE_TOKEN_INVALID"));
}

#[test]
fn a_thousand_bad_fields_still_fit_into_a_header() {
    let mut bad = FieldErrors::default();
    for at in 0..1_000 {
        bad.add(format!("items[{at}].{}", "x".repeat(500)), "must be set");
    }
    let status = Status::from(bad);
    assert_eq!(violations_of(&status).len(), 32);
    let response: http::Response<()> = status.into_http();
    let size: usize = response.headers().values().map(http::HeaderValue::len).sum();
    assert!(size < 16 * 1024, "{size}");
}
