use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use tonic::{Code, Status};
use tower::{Layer, ServiceExt, service_fn};

use super::{AuthError, Identity, IdentityLayer, Role, TokenError, TokenIssuer, TokenVerifier};
use super::{identity_of, require_account, require_any_role, require_role};
use crate::clock::{Clock, ManualClock};
use crate::config::{AuthConfig, Secret};
use crate::fault::reason_of;

const HOUR: Duration = Duration::from_hours(1);
const NOW: i64 = 1_790_000_000_000_000;

fn config(secret: char) -> AuthConfig {
    AuthConfig { secret: Secret::new(secret.to_string().repeat(32)), ..AuthConfig::default() }
}

fn caller() -> Identity {
    Identity {
        subject: "user-1".into(),
        tenant: "acme".into(),
        role: Role::Agent,
        accounts: None,
        expires_at: 0,
    }
}

struct Desk {
    clock: ManualClock,
    issuer: TokenIssuer,
    verifier: Arc<TokenVerifier>,
}

fn desk(issues: &AuthConfig, accepts: &AuthConfig) -> Desk {
    let clock = ManualClock::at(NOW);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    Desk {
        clock,
        issuer: TokenIssuer::new(issues, Arc::clone(&shared)).unwrap(),
        verifier: Arc::new(TokenVerifier::new(accepts, shared).unwrap()),
    }
}

impl Desk {
    fn token(&self) -> String {
        self.issuer.mint(&caller(), HOUR).unwrap().expose().to_owned()
    }

    fn verdict(&self) -> Result<Identity, TokenError> {
        self.verifier.verify(&self.token())
    }
}

#[test]
fn a_token_brings_back_the_identity_it_was_minted_for() {
    let desk = desk(&config('a'), &config('a'));
    let accounts = Some(Arc::new(BTreeSet::from(["acc-1".to_owned()])));
    let narrow = Identity { accounts, role: Role::Viewer, ..caller() };
    let token = desk.issuer.mint(&narrow, HOUR).unwrap();
    let expires_at = NOW + 3_600_000_000;
    assert_eq!(desk.verifier.verify(token.expose()), Ok(Identity { expires_at, ..narrow }));
}

#[test]
fn two_secrets_are_accepted_during_rotation_and_no_third() {
    let rotating = AuthConfig { previous_secret: config('o').secret, ..config('n') };
    assert!(desk(&config('o'), &rotating).verdict().is_ok());
    assert!(desk(&config('n'), &rotating).verdict().is_ok());
    assert_eq!(desk(&config('x'), &rotating).verdict(), Err(TokenError::Invalid));
}

#[test]
fn a_token_ends_at_its_time_plus_the_leeway() {
    let desk = desk(&config('a'), &config('a'));
    let token = desk.token();
    desk.clock.advance(HOUR + Duration::from_secs(29));
    assert!(desk.verifier.verify(&token).is_ok());
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(desk.verifier.verify(&token), Err(TokenError::Expired));
}

#[test]
fn issuer_and_audience_count_when_they_are_configured() {
    let named = |issuer: &str, audience: &str| AuthConfig {
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
        ..config('a')
    };
    let accepts = named("us", "channel");
    assert!(desk(&accepts, &accepts).verdict().is_ok());
    for other in [named("them", "channel"), named("us", "other"), named("", "")] {
        assert_eq!(desk(&other, &accepts).verdict(), Err(TokenError::Invalid));
    }
}

#[test]
fn a_token_cannot_choose_its_algorithm_or_leave_out_its_end() {
    let desk = desk(&config('a'), &config('a'));
    let secret = config('a').secret;
    let key = EncodingKey::from_secret(secret.expose().as_bytes());
    let claims =
        serde_json::json!({"sub": "u", "tenant": "acme", "role": "admin", "exp": i64::MAX});
    let other = encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
    let endless = serde_json::json!({"sub": "u", "tenant": "acme", "role": "admin"});
    let endless = encode(&Header::default(), &endless, &key).unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.";
    let early = serde_json::json!({"sub": "u", "role": "admin", "exp": i64::MAX, "nbf": i64::MAX});
    let early = encode(&Header::default(), &early, &key).unwrap();
    for token in [&*other, &*endless, unsigned, &*early, "", "a.b.c"] {
        assert_eq!(desk.verifier.verify(token), Err(TokenError::Invalid), "{token}");
    }
}

#[test]
fn a_short_secret_is_refused_at_start() {
    let short = AuthConfig { secret: Secret::new("short"), ..AuthConfig::default() };
    let clock = Arc::new(ManualClock::default());
    assert_eq!(TokenVerifier::new(&short, clock).err(), Some(AuthError::SecretTooShort));
}

async fn call(desk: &Desk, path: &str, authorization: Option<&str>) -> Response<String> {
    let layer =
        IdentityLayer::new(Arc::clone(&desk.verifier)).leave_open(["/grpc.health.v1.Health/"]);
    let echo = service_fn(async |request: Request<()>| {
        let subject = request.extensions().get::<Identity>().map(|it| it.subject.to_string());
        Ok::<_, Infallible>(Response::new(subject.unwrap_or_else(|| "nobody".to_owned())))
    });
    let mut request = Request::post(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    layer.layer(echo).oneshot(request.body(()).unwrap()).await.unwrap()
}

fn refused(response: &Response<String>) -> String {
    assert_eq!(response.status(), 200, "gRPC answers in its own words");
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), Code::Unauthenticated);
    reason_of(&status).unwrap()
}

#[tokio::test]
async fn the_layer_lets_a_good_token_through_whatever_the_scheme_s_case() {
    let desk = desk(&config('a'), &config('a'));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = format!("{scheme} {}", desk.token());
        assert_eq!(call(&desk, "/s/M", Some(&header)).await.body(), "user-1");
    }
}

#[tokio::test]
async fn the_layer_says_why_it_refuses() {
    let desk = desk(&config('a'), &config('a'));
    let token = format!("Bearer {}", desk.token());
    assert_eq!(refused(&call(&desk, "/s/M", None).await), "TOKEN_MISSING");
    assert_eq!(refused(&call(&desk, "/s/M", Some("Basic abc")).await), "TOKEN_MISSING");
    assert_eq!(refused(&call(&desk, "/s/M", Some("Bearer abc")).await), "TOKEN_INVALID");
    desk.clock.advance(2 * HOUR);
    assert_eq!(refused(&call(&desk, "/s/M", Some(&token)).await), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn open_paths_need_no_token_and_still_know_who_brings_one() {
    let desk = desk(&config('a'), &config('a'));
    let health = "/grpc.health.v1.Health/Check";
    assert_eq!(call(&desk, health, None).await.body(), "nobody");
    let token = format!("Bearer {}", desk.token());
    assert_eq!(call(&desk, health, Some(&token)).await.body(), "user-1");
    assert_eq!(refused(&call(&desk, "/grpc.health.v1.HealthX/Check", None).await), "TOKEN_MISSING");
}

#[test]
fn a_service_reads_its_caller_from_the_request() {
    let mut request = tonic::Request::new(());
    assert_eq!(identity_of(&request).unwrap_err().code(), Code::Unauthenticated);
    request.extensions_mut().insert(caller());
    assert_eq!(identity_of(&request).unwrap(), caller());
}

#[test]
fn roles_include_the_smaller_ones_and_two_stand_apart() {
    let all = [Role::Viewer, Role::Agent, Role::Admin, Role::Operator, Role::Service];
    let table: Vec<String> = all
        .iter()
        .map(|has| {
            let may: Vec<_> = all.iter().filter(|needs| has.includes(**needs)).collect();
            format!("{has}: {may:?}")
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    viewer: [Viewer]
    agent: [Viewer, Agent]
    admin: [Viewer, Agent, Admin]
    operator: [Operator]
    service: [Service]
    ");
}

#[test]
fn a_missing_role_is_named() {
    let status = require_role(&caller(), Role::Admin).unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(reason_of(&status).as_deref(), Some("ROLE_MISSING"));
    assert!(require_any_role(&caller(), &[Role::Operator, Role::Viewer]).is_ok());
}

#[test]
fn an_account_is_visible_only_in_its_tenant_and_on_the_token_s_list() {
    let wide = caller();
    assert!(require_account(&wide, "acme", "acc-1").is_ok());
    let list = Some(Arc::new(BTreeSet::from(["acc-1".to_owned()])));
    let narrow = Identity { accounts: list, ..caller() };
    assert!(require_account(&narrow, "acme", "acc-1").is_ok());
    for (who, tenant, account) in
        [(&wide, "other", "acc-1"), (&narrow, "acme", "acc-2"), (&narrow, "other", "acc-1")]
    {
        let status = require_account(who, tenant, account).unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(reason_of(&status).as_deref(), Some("ACCOUNT_NOT_FOUND"));
    }
}
