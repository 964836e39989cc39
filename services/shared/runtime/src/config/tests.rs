use std::io::Write;

use serde::{Deserialize, Serialize};

use super::{AuthConfig, ConfigError, Secret, ServerConfig, Sources, TelemetryConfig, print};

const DEFAULTS: &str = r#"
data_dir = "./data"
[upstream]
dsn = ""
api_key = ""
retries = 3
hosts = ["a"]
[upstream.pace]
burst = 5
"#;

#[derive(Debug, Serialize, Deserialize)]
struct Config {
    data_dir: String,
    upstream: Upstream,
}

#[derive(Debug, Serialize, Deserialize)]
struct Upstream {
    dsn: String,
    api_key: Secret,
    retries: u32,
    hosts: Vec<String>,
    pace: Pace,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pace {
    burst: u32,
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn refusal(sources: &Sources) -> String {
    let error = sources.load::<Config>().unwrap_err();
    assert!(matches!(error, ConfigError::Refused(_)), "{error}");
    error.to_string()
}

#[test]
fn each_layer_wins_over_the_one_below() {
    let file = file("data_dir = 'file'\n[upstream]\nretries = 7\ndsn = 'file'\n");
    let sources = Sources::new(DEFAULTS)
        .file(Some(file.path()))
        .environment(env(&[("CHANNEL_UPSTREAM__DSN", "env"), ("CHANNEL_DATA_DIR", "env")]))
        .set("data_dir", "flag");
    let config: Config = sources.load().unwrap();
    assert_eq!(config.data_dir, "flag");
    assert_eq!(config.upstream.dsn, "env");
    assert_eq!(config.upstream.retries, 7);
    assert_eq!(config.upstream.pace.burst, 5);
}

#[test]
fn a_text_key_keeps_text_that_looks_like_a_number_and_lists_split_at_commas() {
    let sources = Sources::new(DEFAULTS).environment(env(&[
        ("CHANNEL_UPSTREAM__API_KEY", "00123"),
        ("CHANNEL_UPSTREAM__HOSTS", "x, y"),
        ("CHANNEL_UPSTREAM__RETRIES", "9"),
    ]));
    let config: Config = sources.load().unwrap();
    assert_eq!(config.upstream.api_key.expose(), "00123");
    assert_eq!(config.upstream.hosts, ["x", "y"]);
    assert_eq!(config.upstream.retries, 9);
}

#[test]
fn every_unknown_key_is_named_with_its_path_and_where_it_came_from() {
    let file = file("[upstream]\nretrys = 1\n");
    let refused = refusal(
        &Sources::new(DEFAULTS)
            .file(Some(file.path()))
            .environment(env(&[("CHANNEL_UPSTREAM__TYPO", "1"), ("OTHER", "1")]))
            .set("nowhere", "1"),
    );
    let path = file.path().display();
    assert!(
        refused.contains(&format!("`upstream.retrys`: unknown key (from {path})")),
        "{refused}"
    );
    let variable =
        "`upstream.typo`: unknown key (from environment variable CHANNEL_UPSTREAM__TYPO)";
    assert!(refused.contains(variable), "{refused}");
    assert!(refused.contains("`nowhere`: unknown key (from command line)"), "{refused}");
}

#[test]
fn a_section_that_denies_unknown_fields_itself_is_reported_the_same_way() {
    let sources =
        Sources::new(DEFAULTS).environment(env(&[("CHANNEL_UPSTREAM__PACE__BRUST", "1")]));
    insta::assert_snapshot!(refusal(&sources), @r"
    the configuration is refused:
      `upstream.pace.brust`: unknown key, expected one of burst (from environment variable CHANNEL_UPSTREAM__PACE__BRUST)
    ");
}

#[test]
fn a_value_that_does_not_fit_names_the_variable_and_never_repeats_text() {
    let sources =
        Sources::new(DEFAULTS).environment(env(&[("CHANNEL_UPSTREAM__RETRIES", "hunter2")]));
    insta::assert_snapshot!(refusal(&sources), @r"
    the configuration is refused:
      `upstream.retries`: found text, expected u32 (from environment variable CHANNEL_UPSTREAM__RETRIES)
    ");
}

#[test]
fn a_missing_key_is_named() {
    insta::assert_snapshot!(refusal(&Sources::new("data_dir = ''\n[upstream]\ndsn = ''")), @r"
    the configuration is refused:
      `upstream.api_key`: missing
    ");
}

#[test]
fn broken_toml_says_where_and_never_quotes_the_line() {
    let file = file("[upstream]\napi_key = 'hunter2\n");
    let refused = refusal(&Sources::new(DEFAULTS).file(Some(file.path())));
    assert!(refused.contains("line 2"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let error = Sources::new(DEFAULTS)
        .file(Some(std::path::Path::new("/nowhere/channel.toml")))
        .load::<Config>()
        .unwrap_err();
    assert!(error.to_string().contains("/nowhere/channel.toml"), "{error}");
}

#[test]
fn a_secret_can_come_from_a_file_named_by_its_twin() {
    let secret = file("from-a-file\n");
    let path = secret.path().display().to_string();
    let by_variable =
        Sources::new(DEFAULTS).environment(env(&[("CHANNEL_UPSTREAM__API_KEY_FILE", &path)]));
    let config: Config = by_variable.load().unwrap();
    assert_eq!(config.upstream.api_key.expose(), "from-a-file");

    let settings = file(&format!("[upstream]\napi_key_file = '{path}'\n"));
    let by_file: Config = Sources::new(DEFAULTS).file(Some(settings.path())).load().unwrap();
    assert_eq!(by_file.upstream.api_key.expose(), "from-a-file");
}

#[test]
fn a_twin_that_names_nothing_leaves_the_value_below_and_a_missing_file_is_named() {
    let settings = file("[upstream]\napi_key = 'below'\n");
    let sources = |path| {
        Sources::new(DEFAULTS)
            .file(Some(settings.path()))
            .environment(env(&[("CHANNEL_UPSTREAM__API_KEY_FILE", path)]))
    };
    assert_eq!(sources("").load::<Config>().unwrap().upstream.api_key.expose(), "below");
    let error = sources("/nowhere/key").load::<Config>().unwrap_err();
    assert!(error.to_string().contains("/nowhere/key"), "{error}");
}

#[test]
fn an_alias_sets_a_key_and_the_prefixed_spelling_wins() {
    let sources =
        Sources::new(DEFAULTS).alias("UPSTREAM_DSN", "upstream.dsn").ignore("CHANNEL_FILE");
    let alone = sources.clone().environment(env(&[("UPSTREAM_DSN", "a"), ("CHANNEL_FILE", "x")]));
    assert_eq!(alone.load::<Config>().unwrap().upstream.dsn, "a");
    let both = sources.environment(env(&[("CHANNEL_UPSTREAM__DSN", "b"), ("UPSTREAM_DSN", "a")]));
    assert_eq!(both.load::<Config>().unwrap().upstream.dsn, "b");
}

#[test]
fn secrets_are_hidden_in_print_and_debug() {
    let sources =
        Sources::new(DEFAULTS).environment(env(&[("CHANNEL_UPSTREAM__API_KEY", "hunter2")]));
    let config: Config = sources.load().unwrap();
    let printed = print(&config).unwrap();
    assert!(printed.contains(r#"api_key = "***""#), "{printed}");
    assert!(!printed.contains("hunter2") && !format!("{config:?}").contains("hunter2"));

    let unset: Config = Sources::new(DEFAULTS).load().unwrap();
    assert!(print(&unset).unwrap().contains(r#"api_key = """#));
}

#[test]
fn the_sections_owned_here_print_and_load_back() {
    #[derive(Serialize, Deserialize, Default)]
    struct All {
        telemetry: TelemetryConfig,
        auth: AuthConfig,
        server: ServerConfig,
        admin: super::AdminConfig,
    }
    let printed = print(&All::default()).unwrap();
    let again: All = Sources::new(&*printed).load().unwrap();
    assert_eq!(print(&again).unwrap(), printed);
    insta::assert_snapshot!(printed);
}

#[test]
fn a_server_that_could_not_work_is_refused_by_the_names_of_its_keys() {
    ServerConfig::default().check().unwrap();
    let edges = ServerConfig {
        max_connections: usize::MAX,
        stream_window_bytes: (1 << 31) - 1,
        keepalive_seconds: 1,
        ..ServerConfig::default()
    };
    edges.check().unwrap();
    let broken = ServerConfig {
        max_connections: 0,
        keepalive_seconds: 0,
        connection_window_bytes: 1 << 31,
        stream_send_buffer_bytes: 1 << 32,
        ..ServerConfig::default()
    };
    insta::assert_snapshot!(broken.check().unwrap_err(), @r"
    the configuration is refused:
      `server.max_connections`: must be greater than zero
      `server.connection_window_bytes`: must be at most 2147483647
      `server.stream_send_buffer_bytes`: must be at most 4294967295
      `server.keepalive_seconds`: must be greater than zero
    ");
}
