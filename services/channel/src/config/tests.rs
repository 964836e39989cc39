use std::collections::BTreeMap;
use std::path::Path;

use channel_runtime::config::{Secret, print};
use secrecy::ExposeSecret as _;

use super::*;

fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let pairs = variables.iter();
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ConfigArgs::default().sources().environment(pairs).load()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

/// The defaults file with its optional keys switched on.
fn with_optional_keys() -> String {
    DEFAULTS.replace("\n#key ", "\n")
}

#[test]
fn the_file_of_defaults_holds_exactly_what_the_code_defaults_to() {
    let by_file = print(&load(&[]).unwrap()).unwrap();
    assert_eq!(by_file, print(&Config::default()).unwrap());
    insta::assert_snapshot!(by_file);
}

#[test]
fn every_key_and_section_of_the_file_has_a_comment_right_above_it() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for (above, line) in lines.iter().zip(&lines[1..]) {
        let is_key = line.starts_with("#key ") || line.starts_with('[') || line.contains(" = ");
        if is_key && !line.starts_with("# ") {
            assert!(above.starts_with("# "), "no comment above `{line}`");
        }
    }
}

#[test]
fn keys_without_a_default_are_spelled_right_in_the_file() {
    assert_ne!(with_optional_keys(), DEFAULTS);
    let config: Config = Sources::new(with_optional_keys()).load().unwrap();
    assert!(config.gateway.tls.is_some());
    assert!(config.gateway.upstreams.ca_file.is_some());
}

#[test]
fn an_unknown_key_is_refused_in_every_section() {
    let sections: BTreeMap<String, toml::Value> = toml::from_str(&with_optional_keys()).unwrap();
    let mut paths = Vec::new();
    for (name, value) in &sections {
        collect(name, value, &mut paths);
    }
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        let key = format!("{path}.no_such_key");
        let args =
            ConfigArgs { pairs: vec![(key.clone(), "1".to_owned())], ..ConfigArgs::default() };
        let refused = refusal(args.sources().load::<Config>());
        assert!(refused.contains(&format!("`{key}`")), "{refused}");
    }
}

fn collect(path: &str, value: &toml::Value, paths: &mut Vec<String>) {
    let Some(table) = value.as_table() else { return };
    paths.push(path.to_owned());
    for (name, value) in table {
        collect(&format!("{path}.{name}"), value, paths);
    }
}

/// Every `CHANNEL_…: value` of a compose file, secrets replaced by a file that exists.
fn variables_of(compose: &str, secret: &Path) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (name, value) = line.trim().split_once(": ")?;
        let value = value.trim_matches('\'');
        let value = match name.ends_with("_FILE") {
            true => secret.display().to_string(),
            false if value.starts_with("${") => "https://api1.unipile.com:13111".to_owned(),
            false => value.to_owned(),
        };
        name.starts_with("CHANNEL_").then(|| (name.to_owned(), value))
    };
    compose.lines().filter_map(pair).collect()
}

#[test]
fn webhooks_are_made_for_the_public_address_with_the_newest_secret() {
    let with = |url: &str, secret: &str, next: &str| {
        let mut config = Config::default();
        config.unipile.public_url = url.to_owned();
        config.ingest.webhook_secret = Secret::new(secret.to_owned());
        config.ingest.webhook_secret_next = Secret::new(next.to_owned());
        config.subscription()
    };
    assert!(with("", "", "").unwrap().is_none(), "somebody else makes them");
    let wanted = with("https://inbox.example.com/", "old", "new").unwrap().unwrap();
    assert_eq!(wanted.url, "https://inbox.example.com/api/v1/webhooks/unipile/");
    assert_eq!(wanted.secret.expose_secret(), "new");
    for bad in ["inbox.example.com", "https://inbox.example.com/path", "ftp://a", "https://"] {
        assert!(with(bad, "a secret", "").is_err(), "{bad}");
    }
    assert!(with("https://inbox.example.com", "", "").is_err(), "there is no secret");
}

#[test]
fn what_the_files_under_deploy_set_is_accepted() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "a secret of at least thirty-two bytes").unwrap();
    let files = [
        (include_str!("../../../../deploy/compose.yaml"), 9),
        (include_str!("../../../../deploy/compose.roles.yaml"), 16),
    ];
    for (compose, settings) in files {
        let variables = variables_of(compose, secret.path());
        assert_eq!(variables.len(), settings, "{variables:?}");
        let loaded = ConfigArgs::default().sources().environment(variables).load::<Config>();
        let config = loaded.unwrap();
        assert_eq!(config.ingest.webhook_secret.expose(), config.auth.secret.expose());
        config.ingest.check().unwrap();
        assert!(matches!(config.upstream(), Ok(Upstream::UniPile(_))));
        assert!(config.subscription().unwrap().is_some());
    }
    let image = include_str!("../../../../deploy/Dockerfile");
    let names = image.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("ENV ").trim_end_matches(" \\");
        let (name, value) = line.split_once('=')?;
        name.starts_with("CHANNEL_").then(|| (name.to_owned(), value.to_owned()))
    });
    let names: Vec<_> = names.collect();
    assert_eq!(names.len(), 4, "{names:?}");
    ConfigArgs::default().sources().environment(names).load::<Config>().unwrap();
}

#[test]
fn the_variables_of_the_command_line_are_no_keys() {
    let variables = FLAGS.map(|flag| (flag, "anything"));
    load(&variables).unwrap();
}

#[test]
fn credentials_go_together_and_a_v2_host_is_refused_with_the_way_out() {
    let upstream =
        |dsn, key| load(&[("UNIPILE_DSN", dsn), ("UNIPILE_API_KEY", key)]).unwrap().upstream();
    assert!(matches!(upstream("api1.unipile.com:13111", "key"), Ok(Upstream::UniPile(_))));
    assert!(refusal(upstream("api1.unipile.com:13111", "")).contains("UNIPILE_API_KEY"));
    assert!(refusal(upstream("", "key")).contains("UNIPILE_DSN"));
    let refused = refusal(upstream("https://api.unipile.com", "key"));
    assert!(refused.contains("`unipile.dsn`") && refused.contains("API v2"), "{refused}");
}

#[test]
fn a_server_that_could_not_work_is_refused_before_anything_is_touched() {
    let broken = [("CHANNEL_SERVER__KEEPALIVE_SECONDS", "0")];
    let all = crate::roles::all::Plan::new(load(&broken).unwrap());
    assert!(all.err().unwrap().to_string().contains("`server.keepalive_seconds`"));
    let mut config = load(&broken).unwrap();
    config.auth.secret = channel_runtime::config::Secret::new("s".repeat(32));
    let apart = crate::roles::apart::Plan::new(crate::roles::apart::Role::Query, config);
    assert!(apart.err().unwrap().to_string().contains("`server.keepalive_seconds`"));
}

#[test]
fn the_demo_is_for_loopback_only() {
    assert_eq!(load(&[]).unwrap().upstream().unwrap(), Upstream::Demo);
    let public = ("CHANNEL_GATEWAY__LISTEN", "0.0.0.0:8080");
    let refused = refusal(load(&[public]).unwrap().upstream());
    assert!(refused.contains("`gateway.listen`"), "{refused}");
    let silent = load(&[public, ("CHANNEL_DEMO__ENABLED", "false")]).unwrap();
    assert_eq!(silent.upstream().unwrap(), Upstream::None);
}

#[test]
fn a_role_apart_refuses_what_only_one_process_can_have() {
    let mut config = load(&[]).unwrap();
    let refused = refusal(config.require_shared_store());
    assert!(refused.contains("SQLite belongs to one process"), "{refused}");
    config.store.kind = StoreKind::Postgres;
    assert!(refusal(config.require_shared_store()).contains("`store.url`"));
    config.store.url = Secret::new("postgres://db/channel");
    config.require_shared_store().unwrap();

    assert!(refusal(config.require_auth_secret()).contains("CHANNEL_AUTH__SECRET_FILE"));
    assert!(refusal(config.require_upstreams()).contains("`gateway.upstreams.query`"));
}

#[test]
fn a_secret_never_prints() {
    let secret = [
        ("CHANNEL_STORE__URL", "postgres://u:hunter2@db/c"),
        ("CHANNEL_AUTH__SECRET", "hunter2"),
        ("CHANNEL_AUTH__PREVIOUS_SECRET", "hunter2"),
        ("CHANNEL_INGEST__WEBHOOK_SECRET", "hunter2"),
        ("CHANNEL_INGEST__WEBHOOK_SECRET_NEXT", "hunter2"),
        ("CHANNEL_INGEST__PATH_TOKEN", "hunter2"),
        ("UNIPILE_API_KEY", "hunter2"),
    ];
    let config = load(&secret).unwrap();
    let printed = print(&config).unwrap();
    assert_eq!(printed.matches("\"***\"").count(), secret.len());
    assert!(!printed.contains("hunter2") && !format!("{config:?}").contains("hunter2"));
}
